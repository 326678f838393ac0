// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Export

/// What each format tells of its operations.
extension OperationKeys {
  static func ofJSONLines(_ export: ExportedFixture) throws -> OperationKeys {
    let lines = try export.lines()
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

  static func ofCSV(_ export: ExportedFixture) throws -> OperationKeys {
    let rows = try #require(readCSV(try export.bytes))
    return OperationKeys(
      try rows.dropFirst().map { row in
        let cells = [String: String](uniqueKeysWithValues: zip(rows[0], row))
          .filter { !$0.value.isEmpty }
        return OperationKey(
          time: cells["time_ns"].flatMap(Int.init),
          thread: try #require(cells["tid"].flatMap(Int.init)), function: cells["function"],
          errno: cells["errno"], address: hexadecimal(cells["address"]))
      })
  }

  static func ofSQLite(_ export: ExportedFixture) throws -> OperationKeys {
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

  static func ofPerfetto(_ export: ExportedFixture) throws -> OperationKeys {
    let trace = try PerfettoReader(try export.bytes)
    // Of several recordings in wall-clock time itself.
    let offset =
      try trace.clocks[3].map { Int(try #require(trace.clocks[1])) - Int($0) } ?? 0
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
