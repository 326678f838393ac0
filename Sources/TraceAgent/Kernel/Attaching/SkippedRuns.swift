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
  /// `tally` has for how many calls a copy ran, and how often the first did.
  init(_ skipped: SkippedRuns, way: Hook.Way, tally: mrt_tally) {
    func runs(_ part: ProgramPart) -> UInt64 { skipped[part] ?? 0 }
    guard way == .operation else {
      entries = runs(.begin) &+ runs(.kprobe)
      returns =
        Self.less(runs(.exit), tally.rescued) &+ runs(.kretprobe) &+ runs(.tracepoint)
      return
    }
    // What the first copy ran for and what it was skipped for are all calls; of those another saw one less was missed.
    entries = Self.less(runs(.begin) &+ tally.begun_first, tally.begun) &+ runs(.kprobe)
    returns = Self.less(runs(.exit) &+ tally.ended_first, tally.ended) &+ runs(.kretprobe)
    evidence = tally.bare
  }

  /// Counters are read one after the other, while calls go on.
  private static func less(_ a: UInt64, _ b: UInt64) -> UInt64 { a > b ? a - b : 0 }
}
