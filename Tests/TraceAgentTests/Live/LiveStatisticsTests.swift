// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Live

@Suite struct LiveStatisticsTests {
  @Test func countsByKindAndOutcomeAndWhatIsNew() throws {
    var statistics = LiveStatistics(startNs: 0, clockOffsetNs: 0)
    for _ in 0..<3 { statistics.add(LiveSamples.operation(), diagnosis: nil) }
    let failed = LiveSamples.operation(result: -14, durationNs: 9_000)
    statistics.add(failed, diagnosis: LiveSamples.diagnosis(failed))
    let first = statistics.snapshot(counters: nil, nowNs: 2_000_000_000)
    let kind = try #require(first.kinds.first { $0.kind == .adviseMR })
    #expect(kind.operations == .init(total: 4, new: 4))
    #expect(kind.failed == .init(total: 1, new: 1))
    #expect(kind.succeeded?.count == 3)
    #expect(kind.succeeded?.p99Ns == 48_000)
    #expect(kind.failures?.p50Ns == 9_000)
    #expect(first.failed == 1 && first.explained == 1 && first.operations == 4)
    #expect(first.intervalNs == 2_000_000_000)

    statistics.add(LiveSamples.operation(), diagnosis: nil)
    let second = statistics.snapshot(counters: nil, nowNs: 3_000_000_000)
    let next = try #require(second.kinds.first { $0.kind == .adviseMR })
    #expect(next.operations == .init(total: 5, new: 1))
    #expect(next.failed == .init(total: 1, new: 0))
    #expect(second.intervalNs == 1_000_000_000)
    #expect(second.causes.map(\.failures) == [.init(total: 1, new: 0)])
  }

  /// At --detail failures only the kernel knows what succeeded.
  @Test func theKernelsCountsGoBeforeOurs() throws {
    var statistics = LiveStatistics(startNs: 0, clockOffsetNs: 0)
    let failed = LiveSamples.operation(.pageFault, result: -14)
    statistics.add(failed, diagnosis: LiveSamples.diagnosis(failed))
    var counters = LiveCounters()
    var durations = LiveCounters.Durations()
    for _ in 0..<1000 { durations.succeeded.record(500) }
    durations.failed.record(700)
    durations.failed.record(800)
    counters.operations[.pageFault] = durations
    let snapshot = statistics.snapshot(counters: counters, nowNs: 1_000_000_000)
    let kind = try #require(snapshot.kinds.first { $0.kind == .pageFault })
    #expect(kind.operations.total == 1002)
    #expect(snapshot.failed == 2)
    #expect(snapshot.explained == 1, "one of them has not been explained")
    #expect(snapshot.invalidations == nil)
  }

  @Test func whatTheProgramMendsIsNoProblemOfItsProcess() throws {
    var statistics = LiveStatistics(startNs: 0, clockOffsetNs: 0)
    var mended = LiveSamples.operation(.regMR, result: -95)
    mended.recoveredBy = "reg_mr with ON_DEMAND"
    statistics.add(mended, diagnosis: LiveSamples.diagnosis(mended, cause: "pin-fsdax"))
    let snapshot = statistics.snapshot(counters: nil, nowNs: 1)
    #expect(snapshot.mended == 1 && snapshot.failed == 1)
    #expect(snapshot.causes.first?.mended == 1)
    #expect(snapshot.processes.byFailures.first?.failures == 0)
  }

  @Test func ranksByFailuresAndByFaultTime() {
    var statistics = LiveStatistics(startNs: 0, clockOffsetNs: 0)
    let slow = LiveSamples.operation(.pageFault, pid: 1, comm: "slow", durationNs: 1_000_000)
    let failed = LiveSamples.operation(.pageFault, pid: 2, comm: "failing", result: -14)
    // A registration is no fault.
    let registration = LiveSamples.operation(.regMR, pid: 3, comm: "reg", durationNs: 9_000_000)
    statistics.add(slow, diagnosis: nil)
    statistics.add(failed, diagnosis: LiveSamples.diagnosis(failed))
    statistics.add(registration, diagnosis: nil)
    let snapshot = statistics.snapshot(counters: nil, nowNs: 1)
    #expect(snapshot.processes.byFailures.first?.name == "failing")
    #expect(snapshot.processes.byFaultTime.map(\.name) == ["slow", "failing", "reg"])
    #expect(snapshot.processes.byFaultTime.last?.faultNs == 0)
    #expect(snapshot.files.byFailures.map(\.name) == ["/mnt/pmem/pool"])
    #expect(snapshot.regions.byFailures.first?.pid == 2)
  }

  /// Nothing is lost from the sums, however many keys there are, and the table says that it is not exact.
  @Test func aFloodOfKeysStaysBounded() {
    var table = RankedTable<Int>(limit: 64)
    for key in 0..<64 {
      table.add(key, .init(operations: 1, failures: 1, faultNs: UInt64(key), lastNs: 1))
    }
    #expect(table.isExact)
    for key in 0..<10_000 {
      table.add(key, .init(operations: 1, failures: key == 7 ? 5 : 0, faultNs: 2, lastNs: 2))
    }
    #expect(!table.isExact)
    #expect(table.count <= 64)
    let (rows, rest) = table.top(3, by: .failures)
    #expect(rows.first?.key == 7)
    let shown = rows.reduce(UInt64(0)) { $0 + $1.tally.operations }
    #expect(shown + (rest?.operations ?? 0) == 10_064)
    #expect(rows.reduce(0) { $0 + $1.tally.failures } + (rest?.failures ?? 0) == 69)
  }

  @Test func manyFailuresKeepOnlyTheLast() {
    let snapshot = LiveSamples.heavy(300)
    #expect(snapshot.recent.count == 100)
    #expect(snapshot.recent.last?.number == 300)
    #expect(snapshot.causes.reduce(0) { $0 + $1.failures.total } == 300)
    #expect(snapshot.causes.count == LiveSamples.causes.count)
  }

  /// From a recording: any number may come.
  @Test func absurdNumbersDoNotTrap() {
    var statistics = LiveStatistics(startNs: .max, clockOffsetNs: .max)
    for _ in 0..<3 {
      var operation = LiveSamples.operation(.pageFault, result: .min, startNs: 0, durationNs: 0)
      operation.startNs = 0
      operation.endNs = .max
      operation.mr.address = .max
      operation.mr.length = .max
      statistics.add(operation, diagnosis: LiveSamples.diagnosis(operation))
    }
    let snapshot = statistics.snapshot(counters: nil, nowNs: 0)
    var view = LiveView()
    for size in [LiveScreen.Size(columns: 80, rows: 24), .init(columns: 200, rows: 50)] {
      let lines = LiveScreen.lines(
        snapshot, LiveSamples.subject, &view, size: size, style: LiveSamples.plain)
      #expect(lines.count == size.rows)
    }
  }
}
