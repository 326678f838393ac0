// SPDX-License-Identifier: Apache-2.0

import CEvents
import Testing

@testable import Kernel

/// Runs of a program that sees entry and return, of which the kernel tells how many it skipped, and no more.
@Suite struct SkippedRunsTests {
  /// A call: did its entry run, and its return? nil: it has not returned.
  private typealias Call = (entered: Bool, returned: Bool?)

  private func skipped(_ calls: [Call]) -> SkippedRuns {
    var tally = mrt_tally()
    var skipped = SkippedRuns()
    for call in calls {
      if call.entered { tally.entered += 1 } else { skipped.ofSessions += 1 }
      guard let returned = call.returned else { continue }
      if returned {
        tally.seen += 1
        if !call.entered { tally.unentered += 1 }
      } else {
        skipped.ofSessions += 1
      }
    }
    return skipped.toldApart(by: tally)
  }

  @Test func whatRanIsNotSkipped() {
    #expect(skipped([]) == SkippedRuns())
    #expect(skipped([(true, true), (true, true), (true, nil)]) == SkippedRuns())
  }

  @Test func entriesAndReturnsAreToldApart() {
    #expect(skipped([(true, true), (false, true)]) == SkippedRuns(entries: 1))
    #expect(skipped([(true, false), (true, true)]) == SkippedRuns(returns: 1))
    #expect(
      skipped([(false, true), (true, false), (true, false), (true, true)])
        == SkippedRuns(entries: 1, returns: 2))
  }

  @Test func aCallOfWhichBothAreMissedIsOneCall() {
    #expect(skipped([(false, false)]) == SkippedRuns(entries: 1, returns: 1))
    #expect(
      skipped([(false, false), (false, false), (true, false), (false, true), (true, true)])
        == SkippedRuns(entries: 3, returns: 3))
  }

  /// Every way that up to five calls of which each has returned can go.
  @Test func ofCallsThatHaveReturnedNoneIsCountedTwiceOrForgotten() {
    let ways: [Call] = [(true, true), (true, false), (false, true), (false, false)]
    for number in 0..<1024 {
      let calls = (0..<5).map { ways[number >> (2 * $0) & 3] }
      #expect(
        skipped(calls)
          == SkippedRuns(
            entries: UInt64(calls.count { !$0.entered }),
            returns: UInt64(calls.count { $0.returned == false })))
    }
  }

  /// What is still running may pass for a return that was skipped, where some were: never for fewer than there were.
  @Test func whereCallsAreRunningItIsAtMost() {
    let ways: [Call] = [
      (true, true), (true, false), (false, true), (false, false), (true, nil), (false, nil),
    ]
    for number in 0..<1296 {
      let calls = [number % 6, number / 6 % 6, number / 36 % 6, number / 216].map { ways[$0] }
      let told = skipped(calls)
      let missed = UInt64(calls.count { $0.returned == false })
      let running = UInt64(calls.count { $0.returned == nil })
      #expect(told.returns >= missed && told.returns <= missed + running, "\(calls)")
    }
  }

  @Test func fentryAndKprobesAreAsTheKernelTells() {
    let skipped = SkippedRuns(entries: 3, returns: 4)
    #expect(skipped.toldApart(by: mrt_tally()) == skipped)
  }

  @Test func countersThatAreReadWhileCallsGoOnGiveNoNonsense() {
    var tally = mrt_tally()
    (tally.seen, tally.entered, tally.unentered) = (9, 7, 10)
    #expect(SkippedRuns(ofSessions: 8).toldApart(by: tally) == SkippedRuns(entries: 8))
  }
}
