// SPDX-License-Identifier: Apache-2.0

/// What a recording can be converted to.
package enum ExportFormat: String, Sendable, CaseIterable {
  case jsonl, perfetto, sqlite, csv

  /// Text, which a terminal may show.
  package var isText: Bool { self == .jsonl || self == .csv }

  /// Written from the beginning to the end, so that a pipe will do.
  package var isStream: Bool { self != .sqlite }

  /// Of the file's name where none is given.
  package var fileSuffix: String {
    switch self {
    case .jsonl: "jsonl"
    case .perfetto: "pftrace"
    case .sqlite: "sqlite"
    case .csv: "csv"
    }
  }
}
