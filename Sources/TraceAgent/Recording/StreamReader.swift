// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// One stream file, packet by packet.
final class StreamReader {
  /// The largest packet that is read; a larger one is taken for damage.
  static let packetLimit = 16 * 1024 * 1024

  /// What a look at all packet headers tells.
  struct Summary {
    var packets = 0
    /// Of the first packet.
    var firstNs: UInt64?
    var records: UInt64 = 0
    var discarded: UInt64 = 0
    var clamped: UInt64 = 0
    var closing: ClosingRecord?
    var problems: [RecordingProblem] = []
  }

  /// A packet's header and place, all of it inside the file.
  struct Packet {
    var header: PacketHeader
    var offset: Int
    var end: Int { offset + header.packetSize }
  }

  let name: String
  private let file: InputFile
  private let uuid: TraceUUID
  private let headerSize: Int

  init(_ file: InputFile, name: String, uuid: TraceUUID, headerSize: Int) {
    self.file = file
    self.name = name
    self.uuid = uuid
    self.headerSize = headerSize
  }

  /// Reads the headers of all packets.
  func summary() throws(RecordingError) -> Summary {
    var summary = Summary()
    var offset = 0
    var last: Packet?
    while offset < file.size {
      switch try packet(at: offset) {
      case .failure(let problem):
        summary.problems.append(problem)
        offset = file.size
      case .success(let packet):
        let expected = last.map { $0.header.sequence &+ 1 } ?? 0
        if packet.header.sequence > expected {
          summary.problems.append(
            .packetsMissing(
              file: name, offset: offset, count: packet.header.sequence - expected))
        }
        summary.packets += 1
        summary.firstNs = summary.firstNs ?? packet.header.timeBegin
        summary.records += UInt64(packet.header.records)
        summary.discarded = packet.header.discarded
        summary.clamped = packet.header.clamped
        last = packet
        offset = packet.end
      }
    }
    if let last, last.header.records == 1 { summary.closing = try closing(in: last) }
    return summary
  }

  private enum PacketResult {
    case success(Packet)
    case failure(RecordingProblem)
  }

  private func packet(at offset: Int) throws(RecordingError) -> PacketResult {
    let left = file.size - offset
    guard left >= headerSize else { return .failure(.truncated(file: name, bytes: left)) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize, alignment: 8)
    defer { bytes.deallocate() }
    guard try file.read(at: offset, into: bytes) == headerSize else {
      return .failure(.truncated(file: name, bytes: left))
    }
    let span = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes))
    guard let header = PacketHeader(span, uuid: uuid), header.packetSize <= Self.packetLimit else {
      return .failure(.damaged(file: name, offset: offset, bytes: left))
    }
    guard header.packetSize <= left else { return .failure(.truncated(file: name, bytes: left)) }
    return .success(Packet(header: header, offset: offset))
  }

  /// The packet at `offset`, or nil at the end of what can be read.
  func next(at offset: Int) throws(RecordingError) -> Packet? {
    guard offset < file.size, case .success(let packet) = try packet(at: offset) else { return nil }
    return packet
  }

  /// Reads the records of `packet` to the start of `buffer`, which is made large enough; returns
  /// their length, nil where they are not those that were written.
  func records(
    of packet: Packet, into buffer: inout UnsafeMutableRawBufferPointer
  ) throws(RecordingError) -> Int? {
    let size = packet.header.packetSize - packet.header.length
    if buffer.count < size {
      buffer.deallocate()
      buffer = .allocate(byteCount: size, alignment: 8)
    }
    let records = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
    let count = try file.read(at: packet.offset + packet.header.length, into: records)
    guard let checksum = packet.header.checksum else { return count }
    return checksum == Checksum.of(UnsafeRawBufferPointer(records)) ? count : nil
  }

  private func closing(in packet: Packet) throws(RecordingError) -> ClosingRecord? {
    let size = packet.header.packetSize - packet.header.length
    // A later version may have made it longer.
    guard size >= MemoryLayout<mrt_counter>.size, size <= 4096 else { return nil }
    var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 8)
    defer { buffer.deallocate() }
    guard try records(of: packet, into: &buffer) == size else { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<size])
    guard let event = try? EventDecoder.decode(bytes) else { return nil }
    return ClosingRecord(event)
  }
}
