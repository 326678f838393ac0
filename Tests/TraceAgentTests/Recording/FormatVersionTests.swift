// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording
@testable import Report

/// Recordings of other versions: every fixture is kept, and reads the same for ever.
@Suite struct FormatVersionTests {
  static let fixtures = ["7.3", "7.3-format-1.2", "7.3-format-1.3"]

  private func reportLines(_ path: String) throws -> [String] {
    try RecordingReport.load(path, keepAll: true).jsonLines(all: true)
  }

  /// What `mrtrace report --json --all` said when the fixture was made. Where a sentence or advice is
  /// changed on purpose, write the file again with that command, and read the difference.
  private func storedLines(_ fixture: String) throws -> [String] {
    let resources = try #require(Bundle.module.resourceURL)
    let text = try contents(of: resources.appending(path: "Fixtures/reports/\(fixture).jsonl").path)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// A copy of a fixture, its metadata changed.
  private func copy(
    _ fixture: String, to scratch: ScratchDirectory, _ changes: [(String, String)]
  ) throws -> String {
    let path = scratch("copy")
    try FileManager.default.copyItem(atPath: try RecordingFixture.path(fixture), toPath: path)
    var text = String(decoding: try contents(of: path + "/metadata"), as: UTF8.self)
    for (pattern, replacement) in changes {
      let changed = text.replacingOccurrences(
        of: pattern, with: replacement, options: .regularExpression)
      try #require(changed != text)
      text = changed
    }
    try replace(path + "/metadata", with: Array(MetadataChecksum.seal(text).utf8))
    return path
  }

  @Test(arguments: fixtures)
  func aRecordingReadsTheSameForEver(fixture: String) throws {
    let lines = try reportLines(try RecordingFixture.path(fixture))
    let stored = try storedLines(fixture)
    #expect(try RecordingReader.open(RecordingFixture.path(fixture)).problems == [])
    try #require(lines.count == stored.count)
    for (line, expected) in zip(lines, stored) { #expect(line == expected) }
  }

  @Test(arguments: fixtures)
  func aLaterMajorVersionIsRefused(fixture: String) throws {
    let scratch = try ScratchDirectory()
    let path = try copy(
      fixture, to: scratch, [("format_major = [0-9]+;", "format_major = 2;")])
    let error = #expect(throws: RecordingError.self) { try RecordingReader.open(path) }
    #expect(
      error?.sentence == "\(path) has recording format 2, which needs a newer mrtrace: "
        + "this one reads up to 1.")
  }

  /// Records of fixed size with 16 bytes more, records of a kind unknown here between them, and
  /// keys unknown here in the metadata: the same answers, and it is told that something was skipped.
  @Test(arguments: fixtures)
  func aLaterMinorVersionIsReadWithoutWhatItAdds(fixture: String) throws {
    let scratch = try ScratchDirectory()
    let path = try copy(
      fixture, to: scratch,
      [("format_minor = [0-9]+;", "format_minor = 99;\n\tlater_key = \"x\";")])
    let streams = try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.hasPrefix("stream_") }
    let original = try RecordingReader.open(try RecordingFixture.path(fixture))
    let headerSize =
      original.environment.hasChecksums ? PacketHeader.size : PacketHeader.sizeWithoutChecksums
    var added: [String: Int] = [:]
    for stream in streams {
      let (bytes, count) = try laterStream(
        try contents(of: "\(path)/\(stream)"), headerSize, original.uuid)
      try replace("\(path)/\(stream)", with: bytes)
      added[stream] = count
    }
    #expect(try reportLines(path) == storedLines(fixture))
    let reader = try RecordingReader.open(path)
    for _ in reader.events() {}
    let told = reader.problems.filter {
      if case .unknownRecords(let file, let count) = $0 { return added[file] == count }
      return false
    }
    #expect(told.count == streams.count)
    #expect(reader.problems.count == told.count, "nothing else is wrong: the end is found")
    let report = try RecordingReport.load(path, keepAll: false)
    #expect(report.summary.losses.contains { $0.contains("only a newer mrtrace can read") })
  }

  /// A stream as a later version might have written it, and how many records of an unknown kind
  /// are in it: one before each of its packets' records.
  private func laterStream(
    _ old: [UInt8], _ headerSize: Int, _ uuid: TraceUUID
  ) throws -> (bytes: [UInt8], unknown: Int) {
    var unknown = 0
    let bytes = try RewrittenStream.of(old, headerSize: headerSize, uuid: uuid) { header, records in
      var changed: [UInt8] = []
      // The closing record is known by standing alone.
      if header.records > 1 {
        var strange = mrt_header()
        strange.time_ns = header.timeBegin
        strange.kind = 99
        strange.size = 48
        withUnsafeBytes(of: strange) { changed += $0 }
        changed += repeatElement(0xee, count: 8)
        unknown += 1
        header.records += 1
      }
      var place = 0
      while place < records.count {
        let known = try EventDecoder.header(
          of: records.span.bytes.extracting(place..<records.count))
        var record = Array(records[place..<place + Int(known.size)])
        place += record.count
        if try #require(RecordLayout.of(kind: known.kind)).tail == nil {
          record += repeatElement(0xdd, count: 16)
          let size = UInt32(record.count)
          record.withUnsafeMutableBytes {
            $0.storeBytes(of: size, toByteOffset: 12, as: UInt32.self)
          }
        }
        changed += record
      }
      return changed
    }
    return (bytes, unknown)
  }
}
