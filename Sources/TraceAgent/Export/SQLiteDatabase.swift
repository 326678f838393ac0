// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// A database being filled. The file is taken away when that fails, so nothing is kept to undo it.
final class SQLiteDatabase {
  let path: String
  private var handle: OpaquePointer?

  init(_ path: String) throws(ExportError) {
    self.path = path
    try check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil))
    // 8 MiB in memory, whatever the size of the file.
    try run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;")
    try run("PRAGMA temp_store = FILE; PRAGMA locking_mode = EXCLUSIVE;")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Statements without values.
  func run(_ sql: String) throws(ExportError) {
    try check(sqlite3_exec(handle, sql, nil, nil, nil))
  }

  func prepare(_ sql: String) throws(ExportError) -> SQLiteStatement {
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
    return SQLiteStatement(statement, database: self)
  }

  /// A statement that puts a row into `table`.
  func insert(into table: SQLiteTable) throws(ExportError) -> SQLiteStatement {
    let places = table.columns.filter { !$0.hasPrefix("PRIMARY KEY") }.map { _ in "?" }
      .joined(separator: ", ")
    return try prepare("INSERT INTO \(table.name) VALUES (\(places))")
  }

  func check(_ status: CInt) throws(ExportError) {
    guard status != SQLITE_OK, status != SQLITE_DONE, status != SQLITE_ROW else { return }
    let message =
      handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "error \(status)"
    throw .database(path: path, message: message)
  }
}

/// A prepared INSERT, used for row after row.
final class SQLiteStatement {
  enum Value {
    case text(String)
    case integer(Int64)
    /// An address or an entry: stored with its bits as they are, negative from 2^63 on.
    case bits(UInt64)

    static func flag(_ flag: Bool) -> Value { .integer(flag ? 1 : 0) }
    static func int(_ number: Int) -> Value { .integer(Int64(number)) }
    /// A number of things; what does not fit is the largest.
    static func count(_ number: UInt64) -> Value { .integer(Int64(clamping: number)) }
    static func names(_ names: [String]) -> Value { .text(names.joined(separator: "|")) }
  }

  /// SQLITE_TRANSIENT: sqlite copies the text.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private let statement: OpaquePointer?
  private let database: SQLiteDatabase

  init(_ statement: OpaquePointer?, database: SQLiteDatabase) {
    self.statement = statement
    self.database = database
  }

  deinit { sqlite3_finalize(statement) }

  /// Puts one row in; nil is NULL.
  func add(_ values: [Value?]) throws(ExportError) {
    for (index, value) in values.enumerated() {
      let place = CInt(index + 1)
      switch value {
      case nil: try database.check(sqlite3_bind_null(statement, place))
      case .integer(let number):
        try database.check(sqlite3_bind_int64(statement, place, number))
      case .bits(let number):
        try database.check(sqlite3_bind_int64(statement, place, Int64(bitPattern: number)))
      case .text(var text):
        // An empty text may have no address, which would bind NULL.
        let status =
          text.isEmpty
          ? sqlite3_bind_text(statement, place, "", 0, Self.transient)
          : text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
              sqlite3_bind_text(
                statement, place, $0.baseAddress, CInt(clamping: $0.count), Self.transient)
            }
          }
        try database.check(status)
      }
    }
    try database.check(sqlite3_step(statement))
    try database.check(sqlite3_reset(statement))
  }
}

struct SQLiteTable {
  var name: String
  /// As in CREATE TABLE: name, type, constraint.
  var columns: [String]
  /// Columns with an index each.
  var indexed: [String] = []

  var creation: String { "CREATE TABLE \(name) (\(columns.joined(separator: ", ")));" }
  var indexes: String {
    indexed.map { "CREATE INDEX \(name)_\($0) ON \(name) (\($0));" }.joined(separator: "\n")
  }
}
