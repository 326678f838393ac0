// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Recording
import Testing

@testable import Export

/// What was lost is said by every export.
struct ExportLossTests {
  private let scratch: ScratchDirectory

  /// A recording in whose kernel side 7 records found no room and 3 runs were missed.
  init() throws {
    scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(
      at: scratch("rec"), environment: SampleRecording.environment, packetSize: 4096)
    let header = SampleEvents.header(hook: MRT_HOOK_REG_MR, timeNs: 500)
    #expect(
      SampleRecording.append(
        .operation(SampleEvents.operation(header: header)), to: writer, cpu: 0))
    var counts = mrt_counts()
    counts.seen = 20
    counts.lost = 7
    let counter = Event.counter(
      hook: MRT_HOOK_ODP_MAP.rawValue, rung: MRT_RUNG_FEXIT, counts: counts, missed: 3,
      timeNs: 2_000)
    #expect(SampleRecording.append(counter, to: writer, cpu: 0))
    writer.discarded(7, cpu: 0)
    try writer.close(now: 10_000)
  }

  @Test func jsonLines() throws {
    let lines = try ExportedFixture(.jsonl, of: scratch("rec")).lines()
    let losses = lines.filter { $0["type"] as? String == "loss" }
    #expect(losses.compactMap { $0["what"] as? String } == ["ring_full", "missed", "discarded"])
    #expect(losses.compactMap { $0["count"] as? Int } == [7, 3, 7])
    #expect(losses[0]["function"] as? String == "ib_umem_odp_map_dma_and_lock")
    #expect(lines.last?["lost"] as? Int == 7)
    #expect(lines.last?["complete"] as? Bool == false)
  }

  @Test func sqlite() throws {
    let export = try ExportedFixture(.sqlite, of: scratch("rec"))
    let base = try SQLiteReader(export.path)
    #expect(
      try base.rows("SELECT function, lost, missed FROM lossy_hooks")
        == [["ib_umem_odp_map_dma_and_lock", "7", "3"]])
    #expect(
      try base.rows("SELECT value FROM recording WHERE key = 'records_lost'") == [["7"]])
  }

  @Test func perfetto() throws {
    let trace = try PerfettoReader(
      try ExportedFixture(.perfetto, of: scratch("rec")).bytes)
    let lost = trace.events.filter {
      trace.tracks[$0.track]?[2]?.first?.text == "records lost"
    }
    #expect(lost.map(\.counter) == [0, 7])
    let missing = trace.events.filter {
      trace.tracks[$0.track]?[2]?.first?.text == "what is missing"
    }
    #expect(missing.map(\.name) == ["ring_full", "missed", "discarded"])
    #expect(missing[0].annotations["count"] == ["7"])
  }

  /// An account says more than a counter, and may come more than once.
  @Test func accounts() throws {
    let writer = try RecordingWriter.create(
      at: scratch("full"), environment: SampleRecording.environment, packetSize: 4096)
    for (lost, time) in [(4 as UInt64, 2_000 as UInt64), (7, 3_000)] {
      var account = mrt_account()
      account.calls = 20 + lost
      account.reported = 9
      account.cut = lost
      account.aggregated = 11
      account.recorded = 12
      account.received = 12
      account.written = 12
      account.lost = lost
      let event = Event.account(account, hook: MRT_HOOK_ODP_MAP.rawValue, timeNs: time)
      #expect(SampleRecording.append(event, to: writer, cpu: 0))
    }
    writer.discarded(7, cpu: 0)
    try writer.close(now: 10_000)
    let lines = try ExportedFixture(.jsonl, of: scratch("full")).lines()
    let losses = lines.filter { $0["type"] as? String == "loss" }
    #expect(losses.compactMap { $0["what"] as? String } == ["ring_full", "discarded"])
    #expect(lines.last?["lost"] as? Int == 7)
    let export = try ExportedFixture(.sqlite, of: scratch("full"))
    #expect(
      try SQLiteReader(export.path).rows("SELECT calls, accounted, agrees FROM loss_check")
        == [["27", "27", "1"]])
    let trace = try PerfettoReader(try ExportedFixture(.perfetto, of: scratch("full")).bytes)
    let lost = trace.events.filter {
      trace.tracks[$0.track]?[2]?.first?.text == "records lost"
    }
    #expect(lost.map(\.counter) == [0, 4, 7])
  }

  /// Nothing happened: the totals come all the same, once.
  @Test func countersOfARecordingWithoutEvents() {
    var counters = PerfettoCounters()
    var points: [PerfettoCounters.Point] = []
    for hook in [MRT_HOOK_ODP_MAP, MRT_HOOK_ODP_GET] {
      points += counters.add(
        .counter(
          hook: hook.rawValue, rung: MRT_RUNG_FEXIT, counts: mrt_counts(), missed: 2, timeNs: 9))
    }
    points += counters.finish()
    #expect(points.map(\.counter) == [.lost, .missed, .lost, .missed])
    #expect(points.map(\.value) == [0, 0, 0, 4])
  }

  @Test func aTruncatedRecordingIsExportedAsFarAsItGoes() throws {
    let path = scratch("whole")
    try SampleRecording.write(at: path, packetSize: 1024)
    let whole = try ExportedFixture(.jsonl, of: path).totals
    for stream in ["stream_0", "stream_1"] {
      try replace(
        "\(path)/\(stream)", with: Array(try contents(of: "\(path)/\(stream)").dropLast(700)))
    }
    for format in ExportFormat.allCases {
      let export = try ExportedFixture(format, of: path)
      #expect(export.totals.records < whole.records)
      #expect(!export.totals.problems.isEmpty)
      #expect(!export.totals.isComplete)
    }
    let lines = try ExportedFixture(.jsonl, of: path).lines()
    let problems = lines.filter { $0["what"] as? String == "problem" }
    #expect(problems.count >= 2)
    #expect(problems.allSatisfy { $0["sentence"] is String })
  }
}
