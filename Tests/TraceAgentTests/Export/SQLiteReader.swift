// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Testing

/// Asks a database; every value as text, NULL as nil.
final class SQLiteReader {
  private var handle: OpaquePointer?

  init(_ path: String) throws {
    let status = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, nil)
    try #require(status == SQLITE_OK)
  }

  deinit { sqlite3_close_v2(handle) }

  func rows(_ sql: String) throws -> [[String?]] {
    var statement: OpaquePointer?
    let status = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    try #require(status == SQLITE_OK, "\(sql)")
    defer { sqlite3_finalize(statement) }
    var rows: [[String?]] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          sqlite3_column_text(statement, column).map { String(cString: $0) }
        })
    }
    return rows
  }
}
