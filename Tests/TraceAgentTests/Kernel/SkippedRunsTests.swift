// SPDX-License-Identifier: Apache-2.0

import CEvents
import Testing

@testable import Kernel

/// Copies of a program, of which the kernel tells how often it skipped each, and the programs how often they ran.
@Suite struct SkippedRunsTests {
  /// One call: which copies ran at its entry (two) and at its return (three).
  private struct Call {
    var entry: [Bool]
    var exit: [Bool]
  }

  /// What the programs count (bpf/hook.h) and the kernel skips.
  private func unseen(_ calls: [Call]) -> UnseenCalls {
    var tally = mrt_tally()
    var skipped: SkippedRuns = [:]
    for call in calls {
      for (part, ran) in zip([ProgramPart.begin, .beginAgain], call.entry) where !ran {
        skipped[part, default: 0] += 1
      }
      for (part, ran) in zip([ProgramPart.exit, .endAgain, .endLast], call.exit) where !ran {
        skipped[part, default: 0] += 1
      }
      if call.entry[0] { tally.begun_first += 1 }
      if call.entry.contains(true) { tally.begun += 1 }
      if call.exit[0] { tally.ended_first += 1 }
      if call.exit.contains(true) { tally.ended += 1 }
    }
    return UnseenCalls(skipped, way: .operation, tally: tally)
  }

  private let both = [true, true]
  private let all = [true, true, true]
  private let none = [false, false, false]

  @Test func whatOneCopyRanForIsSeen() {
    #expect(unseen([]) == UnseenCalls())
    #expect(
      unseen([
        Call(entry: both, exit: all), Call(entry: [false, true], exit: all),
        Call(entry: [true, false], exit: [true, false, false]),
        Call(entry: both, exit: [false, true, false]),
        Call(entry: both, exit: [false, false, true]),
      ]) == UnseenCalls())
  }

  @Test func whatNoCopyRanForIsNot() {
    let calls = [
      Call(entry: both, exit: none), Call(entry: [false, false], exit: [false, false, true]),
      Call(entry: [false, true], exit: all), Call(entry: [true, false], exit: none),
    ]
    #expect(unseen(calls) == UnseenCalls(entries: 1, returns: 2))
  }

  @Test func failuresThatEndedWithoutEvidenceAreCountedWhereTheyEnd() {
    var tally = mrt_tally()
    tally.bare = 4
    #expect(UnseenCalls([:], way: .operation, tally: tally) == UnseenCalls(evidence: 4))
  }

  @Test func evidenceThatTheSecondCopyTookIsNotMissing() {
    var tally = mrt_tally()
    tally.rescued = 5
    let skipped: SkippedRuns = [.exit: 7, .evidenceAgain: 3]
    #expect(UnseenCalls(skipped, way: .exit, tally: tally) == UnseenCalls(returns: 2))
    // read one after the other, while calls go on
    tally.rescued = 9
    #expect(UnseenCalls(skipped, way: .exit, tally: tally) == UnseenCalls())
  }

  @Test func kprobesAndTracepointsHaveOneProgramEach() {
    let tally = mrt_tally()
    #expect(
      UnseenCalls([.kprobe: 2, .kretprobe: 3], way: .operation, tally: tally)
        == UnseenCalls(entries: 2, returns: 3))
    #expect(
      UnseenCalls([.tracepoint: 4], way: .tracepoint, tally: tally) == UnseenCalls(returns: 4))
  }
}
