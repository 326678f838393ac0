// SPDX-License-Identifier: Apache-2.0

import CEvents

/// Runs of a hook's programs that the kernel skipped.
struct SkippedRuns: Equatable {
  var entries: UInt64 = 0
  var returns: UInt64 = 0
  /// Of a program that runs at both, the kernel counts them together.
  var ofSessions: UInt64 = 0

  mutating func add(_ other: SkippedRuns) {
    entries &+= other.entries
    returns &+= other.returns
    ofSessions &+= other.ofSessions
  }

  /// The same, those of sessions told apart by what ran.
  ///
  /// A call of which one run was skipped is known: its return has no entry, or its entry no return. What is left are calls
  /// of which both were. Where runs were skipped and calls have not returned yet, these pass for calls whose return was.
  func toldApart(by tally: mrt_tally) -> SkippedRuns {
    var apart = SkippedRuns(entries: entries, returns: returns)
    let others = less(ofSessions, tally.unentered)
    let withoutReturn = min(others, less(tally.entered, less(tally.seen, tally.unentered)))
    let whole = (others - withoutReturn) / 2
    apart.returns &+= withoutReturn + whole
    apart.entries &+= ofSessions - withoutReturn - whole
    return apart
  }

  /// Counters are read one after the other, while calls go on.
  private func less(_ a: UInt64, _ b: UInt64) -> UInt64 { a > b ? a - b : 0 }
}
