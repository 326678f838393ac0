// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// One CPU's stream file: collects records to a packet, and writes packets whole.
///
/// CTF wants time to go forward in a stream. Records of one CPU arrive nearly in order: within a
/// packet they are put in order, and the time of one older than the last packet is moved to that
/// packet's end, and counted.
final class StreamWriter {
  /// Where packets go.
  enum Destination {
    case file(path: String, uuid: TraceUUID)
    case memory(PacketRing)
  }

  let cpu: Int
  /// Records lost by this CPU so far: told in the next packet.
  var discarded: UInt64 = 0
  private(set) var written: UInt64 = 0
  /// Bytes in the file.
  private(set) var size = 0
  /// On a full disk: frees something, and says whether to try again.
  var reclaim: (() -> Bool)?

  private let destination: Destination
  private var file: OutputFile?
  /// The packet that is being filled. Good as long as this writer.
  let buffer: UnsafeMutablePointer<PacketBuffer>
  private var sequence: UInt64 = 0
  private var discardedTold: UInt64 = 0

  init(to destination: Destination, cpu: Int, packetSize: Int) {
    self.destination = destination
    self.cpu = cpu
    buffer = PacketBuffer.make(limit: packetSize)
  }

  deinit { PacketBuffer.free(buffer) }

  /// Records that wait for their packet to be written.
  var isEmpty: Bool { buffer.pointee.records == 0 }
  /// The earliest time of those.
  var begin: UInt64 { buffer.pointee.firstTime }
  /// Loss that no packet tells of yet.
  var hasUntoldLoss: Bool { discarded > discardedTold }

  /// Adds a whole record, exactly as long as its fields (``RecordLayout/isExact(_:)``).
  func append(_ record: RawSpan) throws(RecordingError) {
    if !buffer.pointee.hasRoom(for: record.byteCount) {
      try flush()
      buffer.pointee.reserve(PacketHeader.size + record.byteCount)
    }
    record.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { buffer.pointee.add(base, size: bytes.count) }
    }
  }

  /// Writes the packet, if there is anything in it.
  func flush() throws(RecordingError) {
    guard !isEmpty else { return }
    try writePacket(begin: buffer.pointee.firstTime, end: buffer.pointee.lastTime)
  }

  /// Writes a packet without records for the sake of the loss it tells.
  ///
  /// Its time is the end of the packet before, so that no record still on its way is late. Before
  /// any packet there is none: then nothing is written, and the loss waits.
  func writeLoss() throws(RecordingError) {
    let floor = buffer.pointee.floor
    if sequence > 0 { try writePacket(begin: floor, end: floor) }
  }

  /// As ``writeLoss()``, with a time for the case that it is the first packet.
  func writeLoss(first timeNs: UInt64) throws(RecordingError) {
    let time = sequence > 0 ? buffer.pointee.floor : timeNs
    try writePacket(begin: time, end: time)
  }

  /// Adds a packet that another writer of this CPU's stream has put together.
  func adopt(
    _ given: PacketRing.Packet, _ bytes: UnsafeRawBufferPointer
  ) throws(RecordingError) {
    buffer.pointee.adopt(given, bytes)
    try flush()
  }

  /// Has what is written go to the disk; waits for it where asked to.
  func sync(wait: Bool) { file?.sync(wait: wait) }

  func closeFile() { file = nil }

  private func writePacket(begin: UInt64, end: UInt64) throws(RecordingError) {
    if !buffer.pointee.isSorted { buffer.pointee.sort() }
    // A reader takes the difference to the packet before for the loss: loss in the first packet
    // needs one before.
    if sequence == 0 && discarded > 0 {
      var header = PacketHeader()
      header.timeBegin = begin
      header.timeEnd = begin
      try write(header, size: PacketHeader.size)
    }
    var header = PacketHeader()
    header.timeBegin = begin
    header.timeEnd = end
    header.discarded = discarded
    header.clamped = buffer.pointee.clamped
    header.records = buffer.pointee.records
    try write(header, size: buffer.pointee.used)
    written += UInt64(header.records)
    discardedTold = discarded
    buffer.pointee.begin(after: end)
  }

  /// Writes the first `size` bytes of the packet with `header`.
  private func write(_ header: PacketHeader, size: Int) throws(RecordingError) {
    let packet = buffer.pointee.bytes
    switch destination {
    case .memory(let ring):
      // Its header is written with the file that it may once go to.
      ring.add(
        .init(
          cpu: cpu, begin: header.timeBegin, end: header.timeEnd, records: header.records,
          clamped: buffer.pointee.clamped),
        UnsafeRawBufferPointer(rebasing: packet[..<size]))
    case .file(let path, let uuid):
      var header = header
      header.packetSize = size
      header.sequence = sequence
      header.cpu = UInt32(cpu)
      header.checksum = Checksum.of(
        UnsafeRawBufferPointer(rebasing: packet[PacketHeader.size..<size]))
      header.store(in: packet, uuid: uuid)
      try reclaiming { () throws(RecordingError) in
        if file == nil { file = try OutputFile.create(path) }
        try file?.append(UnsafeRawBufferPointer(rebasing: packet[..<size]))
      }
      self.size += size
    }
    sequence += 1
  }

  private func reclaiming(_ work: () throws(RecordingError) -> Void) throws(RecordingError) {
    while true {
      do throws(RecordingError) {
        return try work()
      } catch {
        guard error.isFullDisk, reclaim?() == true else { throw error }
      }
    }
  }
}
