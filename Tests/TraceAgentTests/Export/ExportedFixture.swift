// SPDX-License-Identifier: Apache-2.0

import Foundation
import Recording
import Testing

@testable import Export

/// A recording made in the lab on 7.3: eight operations on holes, protected, fsdax and anonymous
/// memory, of which five failed.
enum RecordingFixture {
  static func path(_ name: String = "7.3") throws -> String {
    try #require(Bundle.module.resourceURL).appending(path: "Fixtures/recordings/\(name)").path
  }
}

/// A recording, exported to a file.
struct ExportedFixture {
  let path: String
  /// Of each recording.
  let all: [ExportTotals]
  var totals: ExportTotals { all[0] }
  private let scratch: ScratchDirectory

  init(_ format: ExportFormat, of recordings: String...) throws {
    try self.init(format, of: recordings)
  }

  init(_ format: ExportFormat, of recordings: [String]) throws {
    scratch = try ScratchDirectory()
    path = scratch("export.\(format.fileSuffix)")
    var file = try ExportFile.create(path, force: false)
    var run = ExportRun(try RecordedRuns.open(recordings).runs) { _ in nil }
    switch format {
    case .jsonl:
      var exporter = JSONLinesExporter(ByteOutput(to: file))
      all = try run.export(to: &exporter)
    case .csv:
      var exporter = CSVExporter(ByteOutput(to: file))
      all = try run.export(to: &exporter)
    case .perfetto:
      var exporter = PerfettoExporter(ByteOutput(to: file))
      all = try run.export(to: &exporter)
    case .sqlite:
      var exporter = try SQLiteExporter(path: file.workPath)
      all = try run.export(to: &exporter)
    }
    try file.keep()
  }

  init(_ format: ExportFormat) throws {
    try self.init(format, of: try RecordingFixture.path())
  }

  var bytes: [UInt8] { get throws { try contents(of: path) } }
  var text: String { get throws { String(decoding: try bytes, as: UTF8.self) } }

  /// The lines of a JSON Lines export.
  func lines() throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }
}

/// What every format must tell of an operation.
struct OperationKey: Hashable {
  var time: Int?
  var thread: Int
  var function: String?
  var errno: String?
  var address: UInt64?
}

/// How often each of them is there.
typealias OperationKeys = [OperationKey: Int]

extension OperationKeys {
  init(_ keys: [OperationKey]) { self = keys.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}

func hexadecimal(_ text: String?) -> UInt64? {
  guard let text, text.hasPrefix("0x") else { return nil }
  return UInt64(text.dropFirst(2), radix: 16)
}
