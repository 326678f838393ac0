// SPDX-License-Identifier: Apache-2.0

import Model
import Monitor
import Testing

@Suite struct RecordingPolicyTests {
  private static let second: UInt64 = 1_000_000_000
  private static let hour: UInt64 = 3600 * second

  private func kind(_ cause: String) -> FailureKind {
    FailureKind(operation: .adviseMR, cause: cause, errno: .fault, function: "hmm_vma_walk_hole")
  }

  /// It is explained after the recording that holds it was written.
  @Test func aFailureThatIsInTheLastRecordingMakesNoOther() {
    var policy = RecordingPolicy(againNs: Self.hour, perHour: 10, now: 0)
    policy.failed(kind("a"), at: 0)
    policy.settled(written: true, now: Self.second)
    policy.failed(kind("b"), endNs: Self.second, now: 2 * Self.second)
    #expect(policy.isDue(at: .max) == nil)
    #expect(policy.known == 1)
    policy.failed(kind("b"), at: 3 * Self.second)
    #expect(policy.isDue(at: .max) == nil)
    policy.failed(kind("c"), endNs: Self.second + 1, now: 4 * Self.second)
    #expect(policy.isDue(at: .max) == kind("c"))
    // on SIGUSR1 too
    policy.settled(written: true, now: 5 * Self.second)
    policy.settled(written: true, now: 6 * Self.second)
    policy.failed(kind("d"), endNs: 6 * Self.second, now: 7 * Self.second)
    #expect(policy.isDue(at: .max) == nil)
  }

  @Test func eachKindOnceAndAgainAfterAWhile() {
    var policy = RecordingPolicy(againNs: 24 * Self.hour, perHour: 10, now: 0)
    policy.failed(kind("a"), at: 5)
    #expect(policy.isDue(at: 5) == nil)
    #expect(policy.isDue(at: 5 + Self.second) == kind("a"))
    // one recording holds what failed meanwhile
    policy.failed(kind("b"), at: 6)
    policy.settled(written: true, now: 2 * Self.second)
    policy.failed(kind("a"), at: 3 * Self.second)
    policy.failed(kind("b"), at: 3 * Self.second)
    #expect(policy.isDue(at: .max) == nil)
    #expect(policy.known == 2)
    policy.failed(kind("a"), at: 2 * Self.second + 24 * Self.hour)
    #expect(policy.isDue(at: .max) == kind("a"))
  }

  @Test func whatCouldNotBeWrittenIsNewStill() {
    var policy = RecordingPolicy(againNs: Self.hour, perHour: 10, now: 0)
    policy.failed(kind("a"), at: 0)
    policy.settled(written: false, now: Self.second)
    policy.failed(kind("a"), at: 2 * Self.second)
    #expect(policy.isDue(at: .max) == kind("a"))
  }

  @Test func noMoreThanTheLimitAnHour() {
    var policy = RecordingPolicy(againNs: 24 * Self.hour, perHour: 2, now: 0)
    var recordings = 0
    for number in 0..<100 {
      let now = UInt64(number) * Self.second
      policy.failed(kind("\(number)"), at: now)
      guard policy.isDue(at: .max) != nil else { continue }
      policy.settled(written: true, now: now)
      recordings += 1
    }
    #expect(recordings == 2)
    #expect(policy.limited == 98)
    policy.failed(kind("later"), at: Self.hour)
    #expect(policy.isDue(at: .max) == kind("later"))
  }

  @Test func tokensComeBackOneByOne() {
    var bucket = TokenBucket(capacity: 3, per: 30, now: 0)
    #expect((0..<4).map { _ in bucket.take(now: 1) } == [true, true, true, false])
    #expect([10, 11, 20, 21].map { bucket.take(now: $0) } == [false, true, false, true])
    // never more than the capacity
    #expect((0..<4).map { _ in bucket.take(now: .max) } == [true, true, true, false])
  }
}

extension RecordingPolicy {
  /// Explained at once.
  fileprivate mutating func failed(_ kind: FailureKind, at now: UInt64) {
    failed(kind, endNs: now, now: now)
  }
}
