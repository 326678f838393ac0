// SPDX-License-Identifier: Apache-2.0

import Events

/// What a recording that could be read does not tell.
package enum RecordingProblem: Equatable, Sendable {
  /// It has no closing record: whoever wrote it was stopped.
  case notClosed
  /// A stream ends inside a packet: `bytes` of it are there, and not read.
  case truncated(file: String, bytes: Int)
  /// No packet stands at `offset`, and so no more can be found in this stream: `bytes` are not
  /// read.
  case damaged(file: String, offset: Int, bytes: Int)
  /// Packets before the one at `offset` are not there.
  case packetsMissing(file: String, offset: Int, count: UInt64)
  /// The records of the packet at `offset` end early: damage inside.
  case damagedPacket(file: String, offset: Int, missing: Int)
  /// Records that contradict themselves or their packet: not read.
  case damagedRecords(file: String, count: Int)
  /// Records of a kind or shape that a later version added: skipped.
  case unknownRecords(file: String, count: Int)
  /// A stream that cannot be read.
  case unreadable(RecordingError)
  /// The closing record counts this many records more than there are.
  case recordsMissing(count: UInt64)
  /// No part tells of the end of the run.
  case noLastPart
  /// The flight recorder had no room for this many records: they were older than those that it
  /// wrote.
  case overwritten(count: UInt64)
  /// A module was unloaded and loaded again: for so long its functions were not watched.
  case unwatched(module: String, ns: UInt64)
  /// A module was loaded while the recording ran, and may have been used before its functions were hooked.
  case late(module: String, ns: UInt64)
  /// These parts of a rotated recording are not there.
  case partsMissing(first: Int, last: Int)

  /// One sentence for a person.
  package var sentence: String {
    switch self {
    case .notClosed:
      "The recording was not closed: it ends at the last packet that was written."
    case .truncated(let file, let bytes):
      "\(file) is cut off inside a packet: its last \(bytes) bytes cannot be read."
    case .damaged(let file, let offset, let bytes):
      "\(file) is damaged at byte \(offset): the \(bytes) bytes from there on cannot be read."
    case .packetsMissing(let file, let offset, let count):
      "\(file) lacks \(count) packets before byte \(offset)."
    case .damagedPacket(let file, let offset, let missing):
      "A packet of \(file), at byte \(offset), is damaged: \(missing) of its records cannot be "
        + "read."
    case .damagedRecords(let file, let count):
      "\(file) has damaged records that cannot be read: \(count)."
    case .unknownRecords(let file, let count):
      "\(file) has records that only a newer mrtrace can read, and which are skipped: \(count)."
    case .unreadable(let error): error.sentence
    case .recordsMissing(let count): "Records that were written are missing: \(count)."
    case .noLastPart:
      "The run was stopped after its last part was written: what came later is not recorded."
    case .unwatched(let module, let ns):
      "Module \(module) was unloaded and loaded again: what it did was not watched for \(ns / 1_000_000) ms at most."
    case .late(let module, let ns):
      "Module \(module) was loaded while the recording ran: what it did before its functions were hooked was not watched, for \(ns / 1_000_000) ms at most."
    case .overwritten(let count):
      "Records that were overwritten in the flight recorder, older than those it wrote: \(count)."
    case .partsMissing(let first, let last):
      first == last
        ? "Part \(first) of the recording is missing."
        : "Parts \(first) to \(last) of the recording are missing."
    }
  }
}
