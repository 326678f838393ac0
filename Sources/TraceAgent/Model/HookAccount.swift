// SPDX-License-Identifier: Apache-2.0

/// What became of every call of one hooked function, and of every record about it.
///
/// Numbers may come from a damaged recording: sums saturate.
package struct HookAccount: Equatable, Sendable {
  /// Of enum mrt_hook.
  package var hook: UInt32 = 0
  package var function: FunctionName
  package var rung: Rung
  /// Of a recording of format 1.2 or later: all numbers below are known. Before, only calls, failed,
  /// filtered, missed, recorded, lost and untracked are.
  package var isFull: Bool

  // Calls: the total, and the classes it is the sum of.
  package var calls: UInt64 = 0
  /// All that was to be recorded found room.
  package var reported: UInt64 = 0
  /// At least one record found none.
  package var cut: UInt64 = 0
  /// Nothing to record: counted only.
  package var aggregated: UInt64 = 0
  /// Not inside an operation whose owner is watched.
  package var filtered: UInt64 = 0
  /// The call's beginning was not seen.
  package var unstarted: UInt64 = 0
  /// Runs at a return that the kernel skipped.
  package var missed: UInt64 = 0
  /// Returns that never came (kretprobes).
  package var missedReturns: UInt64 = 0

  // Beside the sum.
  /// Runs at an entry that the kernel skipped.
  package var missedEntries: UInt64 = 0
  /// Calls that had not returned at the end, or whose return was missed: not known which (kprobes).
  package var running: UInt64 = 0
  /// Runs of the program that takes evidence, apart from the one that counts the call, that the kernel skipped.
  package var missedEvidence: UInt64 = 0
  package var failed: UInt64 = 0
  package var untracked: UInt64 = 0

  // Records: sent by the kernel, without room there, taken from the ring, put into the recording.
  package var recorded: UInt64 = 0
  package var lost: UInt64 = 0
  /// Of those without room: evidence that was not sent, since what was left of the ring is for operations.
  package var shed: UInt64 = 0
  package var received: UInt64 = 0
  package var written: UInt64 = 0

  package init(function: FunctionName, rung: Rung, isFull: Bool = true) {
    self.function = function
    self.rung = rung
    self.isFull = isFull
  }

  /// Records that were sent and did not arrive.
  package var unreceived: UInt64 { isFull && recorded > received ? recorded - received : 0 }
  /// Records that arrived and could not be written.
  package var unwritten: UInt64 { isFull && received > written ? received - written : 0 }
  /// All records lost, wherever.
  package var recordsLost: UInt64 { Self.sum([lost, unreceived, unwritten]) }
  /// Runs of the hook's programs that did not happen.
  package var runsMissed: UInt64 {
    Self.sum([missed, missedReturns, missedEntries, missedEvidence])
  }

  /// Something about this function is not in the recording that should be.
  package var isLossy: Bool {
    recordsLost > 0 || runsMissed > 0 || unstarted > 0 || untracked > 0 || running > 0
      || !isBalanced
  }

  /// The classes add up to the calls, and no record came that was not sent.
  package var isBalanced: Bool {
    guard isFull else { return true }
    return received <= recorded && written <= received
      && calls
        == Self.sum([
          reported, cut, aggregated, filtered, unstarted, missed, missedReturns,
        ])
  }

  /// What is lost, by name, as far as it is; the names are those of the exports.
  package var losses: [(what: String, count: UInt64)] {
    [
      ("ring_full", lost > shed ? lost - shed : 0), ("shed", min(shed, lost)),
      ("not_received", unreceived), ("not_written", unwritten),
      ("missed", missed), ("missed_returns", missedReturns), ("missed_entries", missedEntries),
      ("missed_evidence", missedEvidence),
      ("unstarted", unstarted), ("untracked", untracked), ("running", running),
    ].filter { $0.1 > 0 }
  }

  /// Of the same function in another recording, added.
  package func adding(_ other: HookAccount) -> HookAccount {
    var sum = self
    sum.isFull = isFull && other.isFull
    for count in Self.counts {
      sum[keyPath: count] = Self.sum([self[keyPath: count], other[keyPath: count]])
    }
    return sum
  }

  private static var counts: [WritableKeyPath<HookAccount, UInt64>] {
    [
      \.calls, \.reported, \.cut, \.aggregated, \.filtered, \.unstarted, \.missed,
      \.missedReturns, \.missedEntries, \.running, \.failed, \.untracked, \.recorded, \.lost,
      \.shed, \.missedEvidence,
      \.received, \.written,
    ]
  }

  package static func sum(_ numbers: [UInt64]) -> UInt64 {
    numbers.reduce(0) { sum, number in
      let (sum, overflow) = sum.addingReportingOverflow(number)
      return overflow ? .max : sum
    }
  }
}
