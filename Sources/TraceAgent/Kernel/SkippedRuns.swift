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

  /// `tally` has how often each of two copies ran, and how often both did for one call.
  init(_ skipped: SkippedRuns, way: Hook.Way, tally: mrt_tally) {
    func runs(_ part: ProgramPart) -> UInt64 { skipped[part] ?? 0 }
    guard way == .operation else {
      entries = runs(.begin) &+ runs(.kprobe)
      returns = runs(.evidence) &+ runs(.kretprobe) &+ runs(.tracepoint)
      return
    }
    entries =
      Self.neither(
        (runs(.begin), tally.begun_first), (runs(.beginAgain), tally.begun_second), tally.begun_both
      )
      &+ runs(.kprobe)
    returns =
      Self.neither(
        (runs(.end), tally.ended_first), (runs(.endAgain), tally.ended_second), tally.ended_both)
      &+ runs(.kretprobe)
    evidence = runs(.evidence)
  }

  /// Calls of which neither copy ran.
  ///
  /// What one copy skipped the other one ran for alone, or neither did. Both copies tell; where they differ, some of
  /// what was skipped were calls of tasks that are not followed, which nothing counts.
  private static func neither(
    _ first: (skipped: UInt64, ran: UInt64), _ second: (skipped: UInt64, ran: UInt64),
    _ both: UInt64
  ) -> UInt64 {
    min(less(first.skipped, less(second.ran, both)), less(second.skipped, less(first.ran, both)))
  }

  /// Counters are read one after the other, while calls go on.
  private static func less(_ a: UInt64, _ b: UInt64) -> UInt64 { a > b ? a - b : 0 }
}
