// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Operations
import Recording
import Terminal

/// The COUNTER records of a recording, summed by hook.
struct RecordedCounters {
  private var counts: [UInt32: mrt_counter] = [:]

  /// What a full table kept from being followed or counted.
  var untracked: UInt64 { counts.values.reduce(0) { $0 &+ $1.counts.untracked } }

  mutating func add(_ counter: mrt_counter) {
    counts[counter.h.hook] = counter
  }

  func hooks(names: HookNames) -> [ReportSummary.Hook] {
    counts.sorted { $0.key < $1.key }.map { hook, counter in
      ReportSummary.Hook(
        name: names[hook], seen: counter.counts.seen, failed: counter.counts.failed,
        recorded: counter.counts.recorded, lost: counter.counts.lost, missed: counter.missed)
    }
  }

  /// What is missing, a sentence each.
  func problems(
    _ statistics: Correlator.Statistics, _ totals: RecordingReader.Totals
  ) -> [String] {
    var problems: [String] = []
    if totals.discarded > 0 {
      problems.append("\(totals.discarded) records found no room and are lost.")
    }
    if untracked > 0 {
      problems.append(
        "\(untracked) times the kernel side had no room to follow an operation or to count "
          + "a page's flags.")
    }
    if statistics.unfinishedOperations > 0 {
      problems.append(
        "\(statistics.unfinishedOperations) operations have evidence but no end in the recording.")
    }
    return problems
  }
}
