// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The events of one stream, one after the other, one packet in memory.
final class StreamCursor {
  /// The event to be taken next; nil at the end.
  private(set) var current: Event?
  private(set) var currentTime: UInt64 = 0

  private let stream: StreamReader
  /// Whether the recording is of a later minor version, whose records may have a shape unknown
  /// here.
  private let isNewer: Bool
  private let problems: ProblemLog
  private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 8)
  private var packet: StreamReader.Packet?
  private var nextPacket = 0
  private var position = 0
  private var end = 0
  private var recordsLeft = 0
  private var damagedRecords = 0

  init(_ stream: StreamReader, isNewer: Bool, problems: ProblemLog) {
    self.stream = stream
    self.isNewer = isNewer
    self.problems = problems
    advance()
  }

  deinit { buffer.deallocate() }

  /// Moves to the next event that can be read.
  func advance() {
    current = nil
    do throws(RecordingError) {
      while true {
        if position == end {
          guard try openPacket() else { break }
        } else if let event = nextRecord() {
          current = event
          currentTime = event.timeNs
          return
        }
      }
    } catch {
      problems.add(.unreadable(error))
    }
    if damagedRecords > 0 {
      problems.add(.damagedRecords(file: stream.name, count: damagedRecords))
      damagedRecords = 0
    }
  }

  private func openPacket() throws(RecordingError) -> Bool {
    reportShortPacket()
    // What stands after the last packet is told by StreamReader.summary().
    guard let packet = try stream.next(at: nextPacket) else { return false }
    self.packet = packet
    nextPacket = packet.end
    position = 0
    recordsLeft = Int(packet.header.records)
    // Not those that were written: the next call tells how many there were.
    end = try stream.records(of: packet, into: &buffer) ?? 0
    return true
  }

  private func reportShortPacket() {
    guard let packet, recordsLeft > 0 else { return }
    problems.add(
      .damagedPacket(file: stream.name, offset: packet.offset, missing: recordsLeft))
    recordsLeft = 0
  }

  /// Decodes the record at `position`; nil where it must be skipped, or the packet is spent.
  private func nextRecord() -> Event? {
    let rest = RawSpan(
      _unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[position..<end]))
    // A size that is not possible leaves no way to the next record; nor are there more than the
    // packet counts.
    guard recordsLeft > 0, let header = try? EventDecoder.header(of: rest) else {
      if recordsLeft == 0 { damagedRecords += 1 }
      position = end
      return nil
    }
    position += Int(header.size)
    recordsLeft -= 1
    guard let packet, packet.header.timeBegin...packet.header.timeEnd ~= header.time_ns else {
      damagedRecords += 1
      return nil
    }
    if let event = try? EventDecoder.decode(rest) {
      if case .unknown = event, !isNewer {
        damagedRecords += 1
        return nil
      }
      return event
    }
    if isNewer { return .unknown(header) }
    damagedRecords += 1
    return nil
  }
}
