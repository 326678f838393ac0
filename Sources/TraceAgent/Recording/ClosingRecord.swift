// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The last record of a recording that was closed: a COUNTER of hook 0, which no hook has, with the
/// totals of the whole recording. It is alone in its packet.
struct ClosingRecord: Equatable {
  /// Records written, this one not counted.
  var written: UInt64
  var discarded: UInt64

  /// nil for any other event.
  init?(_ event: Event) {
    guard case .counter(let record) = event, record.h.hook == MRT_HOOK_NONE.rawValue else {
      return nil
    }
    written = record.counts.recorded
    discarded = record.counts.lost
  }
}

extension Event {
  static func closing(written: UInt64, discarded: UInt64, timeNs: UInt64) -> Event {
    var counts = mrt_counts()
    counts.seen = written &+ discarded
    counts.recorded = written
    counts.lost = discarded
    return .counter(
      hook: MRT_HOOK_NONE.rawValue, rung: MRT_RUNG_NONE, counts: counts, missed: 0, timeNs: timeNs)
  }
}
