// SPDX-License-Identifier: Apache-2.0

import Foundation
import Recording
import Testing

@testable import Export

/// Two recordings with the same threads and operation numbers, of two hosts.
struct MergedExportTests {
  private let scratch: ScratchDirectory
  private let recordings: [String]

  init() throws {
    scratch = try ScratchDirectory()
    let first = try RecordingFixture.path()
    try CopiedRecording.ofAnotherHost(first, at: scratch("other"))
    recordings = [first, scratch("other")]
  }

  @Test func everyFormatTellsTheSame() throws {
    let expected = try OperationKeys.ofJSONLines(ExportedFixture(.jsonl, of: recordings))
    #expect(expected.values.reduce(0, +) == 32)
    #expect(expected.keys.count { $0.errno != nil } == 10)
    #expect(try OperationKeys.ofCSV(ExportedFixture(.csv, of: recordings)) == expected)
    #expect(try OperationKeys.ofSQLite(ExportedFixture(.sqlite, of: recordings)) == expected)
    #expect(try OperationKeys.ofPerfetto(ExportedFixture(.perfetto, of: recordings)) == expected)
    // What each alone tells, together: nothing of one got into the other.
    var alone: OperationKeys = [:]
    for recording in recordings {
      alone.merge(try OperationKeys.ofJSONLines(ExportedFixture(.jsonl, of: recording))) { $0 + $1 }
    }
    #expect(alone == expected)
  }

  @Test func recordsAreInOrderOfTimeAndSayWhoseTheyAre() throws {
    let lines = try ExportedFixture(.jsonl, of: recordings).lines()
    let header = try #require(lines.first)
    let told = try #require(header["recordings"] as? [[String: Any]])
    #expect(told.map { $0["name"] as? String } == recordings)
    #expect(
      told.map { ($0["kernel"] as? [String: Any])?["hostname"] as? String }.last == "node2")
    let events = lines.filter { $0["type"] as? String == "event" }
    let times = events.compactMap { $0["time_ns"] as? Int }
    #expect(times == times.sorted())
    for name in recordings {
      let own = lines.filter { $0["recording"] as? String == name }
      #expect(own.count { $0["type"] as? String == "failure" } == 5)
      #expect(own.count { $0["type"] as? String == "operation" } == 11)
    }
    #expect(lines.dropFirst().dropLast().allSatisfy { $0["recording"] is String })
    let failures = lines.filter { $0["type"] as? String == "failure" }
    #expect(Set(failures.compactMap { $0["host"] as? String }).contains("node2"))
    #expect(lines.last?["operations"] as? Int == 32)
    #expect(lines.last?["failures"] as? Int == 10)
    try checkSchema(lines)
  }

  @Test func databaseTellsTheHost() throws {
    let export = try ExportedFixture(.sqlite, of: recordings)
    let base = try SQLiteReader(export.path)
    #expect(try base.rows("PRAGMA foreign_key_check").isEmpty)
    #expect(try base.rows("SELECT name FROM recordings ORDER BY id").map { $0[0] } == recordings)
    #expect(
      try base.rows("SELECT recording_id, count(*), sum(failed) FROM operations GROUP BY 1")
        == [["1", "16", "5"], ["2", "16", "5"]])
    let hosts = try base.rows("SELECT host FROM recordings ORDER BY id").map { $0[0] }
    #expect(hosts.last == "node2")
    for view in ["failing_pages", "failures_by_file", "failures_by_process"] {
      #expect(
        try base.rows("SELECT host, count(*) FROM \(view) GROUP BY host").map { $0[1] }.count == 2)
    }
    let single = try ExportedFixture(.sqlite, of: recordings[0])
    let own = try SQLiteReader(single.path)
    #expect(
      try base.rows("SELECT cause, failures / 2 FROM failures_by_cause ORDER BY cause")
        == own.rows("SELECT cause, failures FROM failures_by_cause ORDER BY cause"))
    #expect(
      try base.rows(
        "SELECT level, flags, accepted, in_failed_walk, failing_pages FROM flags_against_outcomes "
          + "WHERE host = 'node2' ORDER BY 1, 2")
        == own.rows(
          "SELECT level, flags, accepted, in_failed_walk, failing_pages "
            + "FROM flags_against_outcomes ORDER BY 1, 2"))
  }

  @Test func tracksOfTwoHostsAreApart() throws {
    let trace = try PerfettoReader(try ExportedFixture(.perfetto, of: recordings).bytes)
    let groups = trace.tracks.filter { $0.value[5] == nil }
    #expect(groups.count == 2)
    #expect(groups.values.contains { $0[2]?.first?.text == "node2 (7.3.4+deb13-amd64)" })
    // No process or thread of a number that two hosts have.
    #expect(trace.tracks.values.allSatisfy { $0[3] == nil && $0[4] == nil })
    var counts: [UInt64: Int] = [:]
    for slice in try trace.slices() where slice.begin.annotations["operation"] != nil {
      counts[try #require(trace.root(of: slice.begin.track)), default: 0] += 1
    }
    #expect(Set(counts.keys) == Set(groups.keys))
    #expect(Array(counts.values) == [16, 16])
    // Wall clock, of which the snapshot tells as well.
    #expect(trace.clocks.keys.sorted() == [1])
  }

  @Test func csvNamesTheRecording() throws {
    let rows = try #require(readCSV(try ExportedFixture(.csv, of: recordings).bytes))
    let column = try #require(rows[0].firstIndex(of: "recording"))
    #expect(Set(rows.dropFirst().map { $0[column] }) == Set(recordings))
  }

  /// A rotated recording is told as the one that it is.
  @Test(arguments: ExportFormat.allCases)
  func partsAreExportedAsOneRecording(format: ExportFormat) throws {
    try CopiedRecording.inParts(recordings[0], at: scratch("parts"), count: 3)
    let parts = try ExportedFixture(format, of: scratch("parts"))
    let whole = try ExportedFixture(format, of: recordings[0])
    #expect(parts.all.count == 1)
    #expect(parts.totals.operations == whole.totals.operations)
    #expect(parts.totals.hooks == whole.totals.hooks)
    #expect(parts.totals.problems.isEmpty)
    switch format {
    case .jsonl:
      let keys = try OperationKeys.ofJSONLines(parts)
      #expect(try keys == OperationKeys.ofJSONLines(whole))
    case .csv: #expect(try OperationKeys.ofCSV(parts) == OperationKeys.ofCSV(whole))
    case .perfetto:
      #expect(try OperationKeys.ofPerfetto(parts) == OperationKeys.ofPerfetto(whole))
    case .sqlite:
      #expect(try OperationKeys.ofSQLite(parts) == OperationKeys.ofSQLite(whole))
      let statistics = "SELECT level, bits, outcome, pages FROM statistics ORDER BY 1, 2, 3, 4"
      #expect(
        try SQLiteReader(parts.path).rows(statistics)
          == SQLiteReader(whole.path).rows(statistics))
    }
  }
}
