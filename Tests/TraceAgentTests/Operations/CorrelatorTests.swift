// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

@Suite struct CorrelatorTests {
  private func end(timeNs: UInt64, operation: UInt64, tid: UInt32 = 413) -> Event {
    .operation(
      SampleEvents.operation(
        header: SampleEvents.header(timeNs: timeNs, operation: operation, tid: tid)))
  }

  @Test func evidenceGoesToItsOperation() {
    var correlator = Correlator()
    #expect(correlator.add(SampleEvents.walk(timeNs: 1, operation: 1)).isEmpty)
    #expect(correlator.add(SampleEvents.walk(timeNs: 2, operation: 2)).isEmpty)
    // The same number on another thread is another operation.
    #expect(correlator.add(SampleEvents.walk(timeNs: 3, operation: 1, tid: 500)).isEmpty)
    #expect(correlator.add(SampleEvents.walk(timeNs: 4, operation: 1)).isEmpty)
    let first = correlator.add(end(timeNs: 5, operation: 1))
    #expect(first.count == 1)
    #expect(first.first?.walks.map(\.timeNs) == [1, 4])
    #expect(correlator.add(end(timeNs: 6, operation: 2)).first?.walks.map(\.timeNs) == [2])
    let other = correlator.add(end(timeNs: 7, operation: 1, tid: 500))
    #expect(other.first?.walks.map(\.timeNs) == [3])
    #expect(correlator.statistics == Correlator.Statistics())
    #expect(correlator.finish().isEmpty)
  }

  @Test func evidenceOfNoOperationIsNobodys() {
    var correlator = Correlator()
    _ = correlator.add(SampleEvents.walk(timeNs: 1, operation: 0))
    #expect(correlator.add(end(timeNs: 2, operation: 0)).first?.walks == [])
    #expect(correlator.statistics == Correlator.Statistics())
  }

  /// A recording that begins in the middle has not all of what was under way then.
  @Test func operationsFromBeforeTheRecordingAreNotComplete() {
    var correlator = Correlator(configuration: .recording(completeFromNs: 1_000))
    for (number, start) in [(1, 999), (2, 1_000), (3, nil)] as [(UInt64, UInt64?)] {
      var record = SampleEvents.operation(
        header: SampleEvents.header(timeNs: 2_000, operation: number))
      record.start_ns = start ?? 5_000
      record.has = start == nil ? record.has & ~MRT_HAS_START : record.has | MRT_HAS_START
      _ = correlator.add(.operation(record))
    }
    #expect(correlator.finish().map(\.isComplete) == [false, true, false])
  }

  /// In a recording, evidence may come after the end of its operation; live, it cannot.
  @Test func lateEvidence() {
    var recorded = Correlator(configuration: .init(lateNs: 100))
    #expect(recorded.add(end(timeNs: 1_000, operation: 1)).isEmpty)
    #expect(recorded.add(end(timeNs: 1_050, operation: 2)).isEmpty)
    #expect(recorded.add(SampleEvents.walk(timeNs: 1_100, operation: 1)).isEmpty)
    let done = recorded.add(SampleEvents.walk(timeNs: 1_101, operation: 3))
    #expect(done.map { $0.walks.count } == [1])
    #expect(recorded.advance(to: 1_150).isEmpty)
    #expect(recorded.advance(to: 1_151).map { $0.walks.count } == [0])
    #expect(recorded.statistics.unfinishedOperations == 1)

    var live = Correlator(configuration: .live)
    #expect(live.add(end(timeNs: 1_000, operation: 1)).count == 1)
    #expect(live.add(SampleEvents.walk(timeNs: 1_001, operation: 1)).isEmpty)
    #expect(live.statistics.unfinishedRecords == 1)
  }

  @Test func operationsWithoutEndAreBoundedAndCounted() {
    var configuration = Correlator.Configuration.live
    configuration.pendingOperations = 10
    configuration.recordsPerOperation = 3
    var correlator = Correlator(configuration: configuration)
    for operation in 1...1000 as ClosedRange<UInt64> {
      for _ in 0..<2 {
        _ = correlator.add(SampleEvents.walk(timeNs: operation, operation: operation))
      }
    }
    #expect(
      correlator.statistics
        == .init(unfinishedOperations: 1000, unfinishedRecords: 2000, unknownOperations: 0))
    // The last ten are whole; the one before is forgotten.
    #expect(correlator.add(end(timeNs: 2000, operation: 990)).first?.walks.count == 0)
    #expect(correlator.add(end(timeNs: 2000, operation: 991)).first?.walks.count == 2)
    // Too much evidence of one operation is told as lost.
    for _ in 0..<5 { _ = correlator.add(SampleEvents.walk(timeNs: 2001, operation: 5000)) }
    let large = correlator.add(end(timeNs: 2002, operation: 5000)).first
    #expect(large?.walks.count == 3)
    #expect(large?.lost == 2)
  }

  @Test func operationsComeAndGoWithoutLeavingATrace() {
    var configuration = Correlator.Configuration.live
    configuration.pendingOperations = 4
    var correlator = Correlator(configuration: configuration)
    for operation in 1...1000 as ClosedRange<UInt64> {
      _ = correlator.add(SampleEvents.walk(timeNs: operation, operation: operation))
      #expect(correlator.add(end(timeNs: operation, operation: operation)).first?.walks.count == 1)
    }
    #expect(correlator.statistics == Correlator.Statistics())
  }

  @Test func unknownKindsOfOperationsAreCounted() {
    var correlator = Correlator()
    var record = SampleEvents.operation()
    record.kind = 77
    #expect(correlator.add(.operation(record)).isEmpty)
    #expect(correlator.statistics.unknownOperations == 1)
  }

  @Test func ownersCommIsLearned() {
    var time: UInt64 = 1_000
    func fault(has: UInt32, owner: UInt32, worker: String) -> Event {
      time += 1
      var record = SampleEvents.operation(
        kind: MRT_OP_PAGE_FAULT, header: SampleEvents.header(timeNs: time, pid: 30, tid: 30),
        has: has)
      record.owner_pid = owner
      CText.fill(&record.comm, with: worker)
      return .operation(record)
    }
    var correlator = Correlator()
    let before = correlator.add(fault(has: MRT_HAS_OWNER, owner: 412, worker: "kworker/0:1"))
    #expect(before.first?.ownerPID == 412)
    #expect(before.first?.ownerComm == nil)
    // A system call by that process.
    _ = correlator.add(.operation(SampleEvents.operation(has: 0)))
    let after = correlator.add(fault(has: MRT_HAS_OWNER, owner: 412, worker: "kworker/0:1"))
    #expect(after.first?.ownerComm == "server-io")
    #expect(after.first?.runner.comm == "kworker/0:1")
    #expect(
      correlator.add(fault(has: MRT_HAS_OWNER, owner: 999, worker: "x")).first?.ownerComm == nil)
    // A worker's own name is not the owner's.
    let unknown = correlator.add(fault(has: 0, owner: 0, worker: "kworker/0:1")).first
    #expect(unknown?.ownerPID == nil)
    #expect(unknown?.ownerComm == nil)
  }

  @Test func stacksGetTheirNames() {
    let kernel: UInt64 = 0xFFFF_FFFF_8100_0010
    let user: UInt64 = 0x7F00_0000_1000
    func stack(_ what: mrt_stack_what, _ address: UInt64) -> Event {
      .stack(SampleEvents.stack(what: what, addresses: [address, address + 1]))
    }
    let events: [Event] = [
      stack(MRT_STACK_KERNEL, kernel),
      stack(MRT_STACK_USER, user),
      // Taken further out: not the one of the failure.
      stack(MRT_STACK_KERNEL, 0xFFFF_FFFF_8200_0000),
      end(timeNs: 1_500, operation: 7),
      // Looked up by the agent at the end.
      .kernelSymbol(address: kernel, name: "hmm_vma_walk_pmd+0x12", timeNs: 9_000_000_000),
      .userSymbol(address: user, pid: 412, name: "libibverbs.so.1+0x1234", timeNs: 9_000_000_000),
      .userSymbol(address: user + 1, pid: 999, name: "other process", timeNs: 9_000_000_000),
    ]
    let (operations, _) = Correlator.correlate(events)
    #expect(operations.count == 1)
    #expect(
      operations.first?.kernelStack == [
        StackFrame(address: kernel, name: "hmm_vma_walk_pmd+0x12"),
        StackFrame(address: kernel + 1, name: nil),
      ])
    #expect(
      operations.first?.userStack == [
        StackFrame(address: user, name: "libibverbs.so.1+0x1234"),
        StackFrame(address: user + 1, name: nil),
      ])
  }

  @Test func aWholeRecordingComesInOrderOfTheEnds() {
    var events: [Event] = []
    for operation in 1...20 as ClosedRange<UInt64> {
      events.append(SampleEvents.walk(timeNs: operation * 1_000, operation: operation))
      events.append(end(timeNs: operation * 1_000 + 1, operation: operation))
    }
    let (operations, statistics) = Correlator.correlate(events)
    #expect(operations.map(\.endNs) == (1...20).map { $0 * 1_000 + 1 })
    #expect(operations.allSatisfy { $0.walks.count == 1 })
    #expect(statistics == Correlator.Statistics())
  }
}
