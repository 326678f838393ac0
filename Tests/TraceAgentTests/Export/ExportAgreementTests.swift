// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Export

/// The same operations come out of every format, read by readers that know nothing of the writers.
struct ExportAgreementTests {
  @Test func everyFormatTellsTheSame() throws {
    let expected = try ofJSONLines()
    #expect(expected.values.reduce(0, +) == 16)
    #expect(expected.keys.count { $0.errno != nil } == 5)
    #expect(try ofCSV() == expected)
    #expect(try ofSQLite() == expected)
    #expect(try ofPerfetto() == expected)
  }

  private func ofJSONLines() throws -> OperationKeys {
    let lines = try ExportedFixture(.jsonl).lines()
    return OperationKeys(
      try lines.filter { ["failure", "operation"].contains($0["type"] as? String) }.map { line in
        let worker = line["worker"] as? [String: Any]
        let chain = line["chain"] as? [[String: Any]]
        let places = ["page", "request", "mr"].compactMap { line[$0] as? [String: Any] }
        let thread = try #require((line["tid"] ?? worker?["tid"]) as? Int)
        return OperationKey(
          time: line["time_ns"] as? Int, thread: thread,
          function: chain?.first?["function"] as? String, errno: line["errno"] as? String,
          address: places.lazy.compactMap { hexadecimal($0["address"] as? String) }.first)
      })
  }

  private func ofCSV() throws -> OperationKeys {
    let rows = try #require(readCSV(try ExportedFixture(.csv).bytes))
    return OperationKeys(
      try rows.dropFirst().map { row in
        let cells = Dictionary(uniqueKeysWithValues: zip(rows[0], row)).filter { !$0.value.isEmpty }
        return OperationKey(
          time: cells["time_ns"].flatMap(Int.init),
          thread: try #require(cells["tid"].flatMap(Int.init)), function: cells["function"],
          errno: cells["errno"], address: hexadecimal(cells["address"]))
      })
  }

  private func ofSQLite() throws -> OperationKeys {
    let export = try ExportedFixture(.sqlite)
    let rows = try SQLiteReader(export.path).rows(
      """
      SELECT time_ns, tid, function, errno,
        coalesce(address, request_address, mr_address)
      FROM operations LEFT JOIN failures ON operation_id = id
      """)
    return OperationKeys(
      try rows.map { row in
        OperationKey(
          time: row[0].flatMap(Int.init), thread: try #require(row[1].flatMap(Int.init)),
          function: row[2], errno: row[3],
          address: row[4].flatMap(Int64.init).map { UInt64(bitPattern: $0) })
      })
  }

  private func ofPerfetto() throws -> OperationKeys {
    let trace = try PerfettoReader(try ExportedFixture(.perfetto).bytes)
    let offset = Int(try #require(trace.clocks[1])) - Int(try #require(trace.clocks[3]))
    return OperationKeys(
      try trace.slices().filter { $0.begin.annotations["operation"] != nil }.map { slice in
        let annotations = slice.begin.annotations
        let time = annotations["start recorded"] == ["1"] ? slice.begin.time : slice.end.time
        return OperationKey(
          time: Int(time) + offset, thread: Int(try #require(trace.thread(of: slice.begin.track))),
          function: annotations["function"]?.first, errno: annotations["errno"]?.first,
          address: hexadecimal(annotations["address"]?.first))
      })
  }
}
