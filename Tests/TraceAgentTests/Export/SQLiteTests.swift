// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Export

struct SQLiteTests {
  @Test func databaseIsSoundAndAddsUp() throws {
    let export = try ExportedFixture(.sqlite)
    let base = try SQLiteReader(export.path)
    #expect(try base.rows("PRAGMA integrity_check") == [["ok"]])
    #expect(try base.rows("PRAGMA foreign_key_check").isEmpty)
    #expect(try base.rows("SELECT count(*), sum(failed) FROM operations") == [["16", "5"]])
    #expect(
      try base.rows("SELECT value FROM recording WHERE key IN ('operations', 'failures')").count
        == 2)
    #expect(
      try base.rows("SELECT cause, failures, mended FROM failures_by_cause ORDER BY cause") == [
        ["fault-beyond-eof", "2", "0"], ["mapping-missing", "1", "0"],
        ["mapping-not-readable", "1", "0"], ["pin-fsdax", "1", "1"],
      ])
    #expect(try base.rows("SELECT count(*) FROM failing_pages") == [["5"]])
    #expect(
      try base.rows("SELECT file, failures FROM failures_by_file WHERE file LIKE '/mnt/%'").count
        == 2)
    #expect(try base.rows("SELECT operations, failures FROM failures_by_process")[0][1] == "5")
    #expect(try base.rows("SELECT * FROM slowest_operations LIMIT 1")[0][2] == "reg_mr")
    #expect(
      try base.rows("SELECT sum(accepted + in_failed_walk) FROM flags_against_outcomes")
        == base.rows("SELECT sum(pages * weight) FROM statistics"))
    #expect(try base.rows("SELECT * FROM lossy_hooks").isEmpty)
  }

  /// An address above 2^63 keeps its bits.
  @Test func rawEntriesKeepTheirBits() throws {
    let export = try ExportedFixture(.sqlite)
    let rows = try SQLiteReader(export.path)
      .rows("SELECT raw FROM failing_pages WHERE cause = 'pin-fsdax'")
    #expect(rows == [["0x8000000029030867"]])
  }

  @Test func aFileThatIsNoDatabaseIsRefused() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: ExportError.self) { try SQLiteExporter(path: scratch("missing/x.sqlite")) }
  }
}
