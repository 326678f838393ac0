// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

/// Failures whose record says that their evidence is that of one before.
@Suite struct RepeatedEvidenceTests {
  /// `repeats`: it began so long after the one that has its evidence.
  private func end(
    timeNs: UInt64, operation: UInt64, repeats: UInt32? = nil, tid: UInt32 = 413
  ) -> Event {
    var record = SampleEvents.operation(
      header: SampleEvents.header(timeNs: timeNs, operation: operation, tid: tid))
    record.kind = MRT_OP_ADVISE_MR.rawValue
    record.result = -14
    record.lost = 0
    if let repeats {
      record.has |= MRT_HAS_REPEATED
      record.repeats_ns = repeats
    }
    return .operation(record)
  }

  /// The callback that tells of mappings alone.
  private func refused(timeNs: UInt64, operation: UInt64) -> Event {
    SampleEvents.walk(timeNs: timeNs, operation: operation, hook: MRT_HOOK_WALK_TEST)
  }

  private func correlated(_ events: [Event]) -> [Operation] {
    var correlator = Correlator()
    return events.flatMap { correlator.add($0) }
  }

  @Test func theyHaveWhatTheFirstHas() throws {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      end(timeNs: 220, operation: 200, repeats: 100),
      end(timeNs: 320, operation: 300, repeats: 200),
    ])
    try #require(operations.count == 3)
    #expect(operations.map(\.repeatsAfterNs) == [nil, 100, 200])
    #expect(operations.allSatisfy { $0.walks.map(\.timeNs) == [110] && $0.lost == 0 })
    #expect(operations[1].endNs == 220)
  }

  @Test(arguments: [
    (UInt32(99), UInt32(413)),  // none began then
    (300, 413),  // before the clock began
  ])
  func whatIsNotHereIsLost(repeats: UInt32, tid: UInt32) throws {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      end(timeNs: 220, operation: 200, repeats: repeats, tid: tid),
    ])
    let second = try #require(operations.last)
    #expect(second.walks.isEmpty)
    #expect(second.lost == 1)
    #expect(!second.isComplete)
  }

  @Test func anotherThreadMayLend() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      end(timeNs: 220, operation: 200, repeats: 100, tid: 500),
    ])
    #expect(operations.last?.walks.map(\.timeNs) == [110])
    #expect(operations.last?.lost == 0)
  }

  /// Two threads of a process began equal calls in the same nanosecond: which one is meant is not known.
  @Test func ofTwoThatMayBeMeantNoneLends() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      SampleEvents.walk(timeNs: 111, operation: 100, tid: 600, hook: MRT_HOOK_WALK_TEST),
      end(timeNs: 121, operation: 100, tid: 600),
      end(timeNs: 220, operation: 200, repeats: 100, tid: 500),
    ])
    #expect(operations.last?.walks.isEmpty == true)
    #expect(operations.last?.lost == 1)
  }

  /// A process that is not the lender's asked for the same.
  @Test func anotherProcessHasItsOwn() throws {
    guard case .operation(var other) = end(timeNs: 220, operation: 200, repeats: 100) else {
      return
    }
    other.owner_pid += 1
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100), .operation(other),
    ])
    #expect(operations.last?.lost == 1)
  }

  @Test func noMoreAreKeptThanAreAllowed() {
    var configuration = Correlator.Configuration.live
    configuration.repeatedFailures = 1
    var correlator = Correlator(configuration: configuration)
    let operations = [
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      refused(timeNs: 210, operation: 200), end(timeNs: 220, operation: 200),
      end(timeNs: 320, operation: 300, repeats: 200),
      end(timeNs: 420, operation: 400, repeats: 200),
    ].flatMap { correlator.add($0) }
    #expect(operations.map(\.lost) == [0, 0, 1, 0])
  }

  /// Those between have evidence of their own; a record says which one it means.
  @Test func theOneThatIsMeant() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      refused(timeNs: 210, operation: 200), end(timeNs: 220, operation: 200),
      end(timeNs: 320, operation: 300, repeats: 200),
      end(timeNs: 420, operation: 400, repeats: 200),
    ])
    #expect(operations.map(\.lost) == [0, 0, 0, 0])
    #expect(operations[2].walks.map(\.timeNs) == [110])
    #expect(operations[3].walks.map(\.timeNs) == [210])
  }

  /// The kernel side remembers a failure past those that it would not have repeated.
  @Test func oneOfAnotherKindDoesNotTakeItsPlace() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      SampleEvents.walk(timeNs: 210, operation: 200), end(timeNs: 220, operation: 200),
      end(timeNs: 320, operation: 300, repeats: 200),
    ])
    #expect(operations.map(\.lost) == [0, 0, 0])
    #expect(operations.last?.walks.map(\.timeNs) == [110])
  }

  /// The record says what the call that began would have; the one that ended was asked for something else.
  @Test func anotherRequestRepeatsNothing() throws {
    guard case .operation(var other) = end(timeNs: 220, operation: 200, repeats: 100) else {
      return
    }
    other.request_address += 4096
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      .operation(other),
    ])
    #expect(operations.last?.walks.isEmpty == true)
    #expect(operations.last?.lost == 1)
  }

  @Test func evidenceIsOfItsTime() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      end(timeNs: 220, operation: 200, repeats: 100),
    ])
    #expect(operations.last?.lentFrom?.upperBound == 120)
    #expect(operations.first?.lentFrom == nil)
  }

  @Test func anOperationThatIsThereTwiceEndsOnce() {
    let operations = correlated([
      refused(timeNs: 110, operation: 100), end(timeNs: 120, operation: 100),
      end(timeNs: 120, operation: 100), end(timeNs: 220, operation: 200, repeats: 100),
      end(timeNs: 120, operation: 100),
    ])
    #expect(operations.map(\.endNs) == [120, 220])
  }
}
