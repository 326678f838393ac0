// SPDX-License-Identifier: Apache-2.0

import CEvents

/// Runs of a hook's programs that the kernel skipped, by program.
typealias SkippedRuns = [ProgramPart: UInt64]

/// What a hook did not see, because the kernel skipped its programs.
struct UnseenCalls: Equatable {
  /// Calls of which no program ran at the entry.
  var entries: UInt64 = 0
  /// Calls of which no program ran that counts them at the return.
  var returns: UInt64 = 0
  /// Calls whose evidence was not taken.
  var evidence: UInt64 = 0
}

extension UnseenCalls {
  /// `tally` has for how many calls a copy ran, and how often the first and the last did.
  init(_ skipped: SkippedRuns, way: Hook.Way, tally: mrt_tally) {
    func runs(_ part: ProgramPart) -> UInt64 { skipped[part] ?? 0 }
    guard way == .operation else {
      entries = runs(.begin) &+ runs(.kprobe)
      returns =
        Self.less(runs(.evidence), tally.rescued) &+ runs(.kretprobe) &+ runs(.tracepoint)
      return
    }
    entries =
      Self.none(
        of: tally.begun, (runs(.begin), tally.begun_first), (runs(.beginAgain), tally.begun_last))
      &+ runs(.kprobe)
    returns =
      Self.none(
        of: tally.ended, (runs(.end), tally.ended_first), (runs(.endLast), tally.ended_last))
      &+ runs(.kretprobe)
    evidence = Self.less(runs(.evidence), tally.rescued)
  }

  /// Calls of which no copy ran, where one did for `calls`.
  ///
  /// What a copy ran for and what it was skipped for are all calls. Two copies tell that; where they differ, some of what
  /// was skipped were calls of tasks that are not followed, which nothing counts.
  private static func none(
    of calls: UInt64, _ first: (skipped: UInt64, ran: UInt64),
    _ last: (skipped: UInt64, ran: UInt64)
  ) -> UInt64 {
    min(less(first.skipped &+ first.ran, calls), less(last.skipped &+ last.ran, calls))
  }

  /// Counters are read one after the other, while calls go on.
  private static func less(_ a: UInt64, _ b: UInt64) -> UInt64 { a > b ? a - b : 0 }
}
