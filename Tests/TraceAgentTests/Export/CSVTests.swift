// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import Export

struct CSVTests {
  /// Scripts count on it: columns may be added at the end only.
  @Test func headerIsStable() throws {
    let rows = try #require(readCSV(try ExportedFixture(.csv).bytes))
    #expect(
      rows[0].joined(separator: " ")
        == """
        time_ns end_monotonic_ns duration_ns operation pid comm tid runner_pid runner_comm device \
        result errno function address cause confidence delivered recovered_by lost mr_address \
        mr_length mr_iova mr_access request_address request_length lkey page_address page_level \
        page_raw page_flags mapping_start mapping_end mapping_flags file file_offset filesystem \
        fsdax summary host recording incomplete container_pid cgroup repeats_after_ns followed_by \
        kind_seen
        """)
    #expect(rows.count == 17)
    #expect(rows.allSatisfy { $0.count == rows[0].count })
  }

  @Test func cellsAreQuotedWhereTheyMustBe() throws {
    let comm = "a,\"b\"\r\nc"
    let operation = Operation(
      kind: .regMR, runner: .init(pid: 1, tid: 2, comm: comm), endNs: 5, result: 0)
    let scratch = try ScratchDirectory()
    var file = try ExportFile.create(scratch("csv"), force: false)
    let subject = ExportSubject(SampleRecording.environment)
    var exporter = CSVExporter(ByteOutput(to: file))
    try exporter.begin([subject])
    try exporter.add(ExportedOperation(operation, nil, in: subject))
    try exporter.finish([ExportTotals()])
    try file.keep()
    let bytes = try contents(of: scratch("csv"))
    let rows = try #require(readCSV(bytes))
    let row = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[1]))
    #expect(row["runner_comm"] == comm)
    #expect(row["tid"] == "2")
    #expect(row["duration_ns"] == "")
    #expect(String(decoding: bytes, as: UTF8.self).contains("\"a,\"\"b\"\"\r\nc\""))
  }
}
