// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The records of one stream, one after the other, one packet in memory.
final class StreamCursor {
  /// The record to be taken next, good until ``advance()``; nil at the end.
  private(set) var current: RecordView?

  private let stream: StreamReader
  /// Whether the recording is of a later minor version, whose records may have a shape unknown
  /// here.
  private let isNewer: Bool
  private let problems: ProblemLog
  private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 8)
  private var packet: StreamReader.Packet?
  /// Of the packet.
  private var times: ClosedRange<UInt64> = 0...0
  private var nextPacket = 0
  private var position = 0
  private var end = 0
  private var recordsLeft = 0
  private var damagedRecords = 0
  private var unknownRecords = 0

  init(_ stream: StreamReader, isNewer: Bool, problems: ProblemLog) {
    self.stream = stream
    self.isNewer = isNewer
    self.problems = problems
    advance()
  }

  deinit { buffer.deallocate() }

  /// Moves to the next record that can be read.
  func advance() {
    current = nextRecord()
    if current != nil { return }
    do throws(RecordingError) {
      while true {
        if position == end {
          guard try openPacket() else { break }
        } else if let record = nextRecord() {
          current = record
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
    if unknownRecords > 0 {
      problems.add(.unknownRecords(file: stream.name, count: unknownRecords))
      unknownRecords = 0
    }
  }

  private func openPacket() throws(RecordingError) -> Bool {
    reportShortPacket()
    // What stands after the last packet is told by StreamReader.summary().
    guard let packet = try stream.next(at: nextPacket) else { return false }
    self.packet = packet
    times = packet.header.timeBegin...packet.header.timeEnd
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

  /// The record at `position`; nil where it must be skipped, or the packet is spent.
  private func nextRecord() -> RecordView? {
    guard position < end else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: buffer[position..<end])
    // A size that is not possible leaves no way to the next record; nor are there more than the
    // packet counts.
    guard recordsLeft > 0,
      let header = try? EventDecoder.header(of: RawSpan(_unsafeBytes: rest))
    else {
      if recordsLeft == 0 { damagedRecords += 1 }
      position = end
      return nil
    }
    position += Int(header.size)
    recordsLeft -= 1
    guard times.contains(header.time_ns),
      let record = RecordView(rest, header: header, isNewer: isNewer)
    else {
      damagedRecords += 1
      return nil
    }
    if !record.isKnown { unknownRecords += 1 }
    return record
  }
}
