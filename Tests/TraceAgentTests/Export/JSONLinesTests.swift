// SPDX-License-Identifier: Apache-2.0

import Foundation
import Recording
import Testing

@testable import Export

struct JSONLinesTests {
  @Test func headerAndFooterFrameTheRecords() throws {
    let export = try ExportedFixture(.jsonl)
    let lines = try export.lines()
    let header = try #require(lines.first)
    #expect(header["type"] as? String == "header")
    #expect(header["format"] as? String == "mrtrace-jsonl")
    #expect((header["kernel"] as? [String: Any])?["release"] as? String == "7.3.4+deb13-amd64")
    #expect((header["hooks"] as? [Any])?.isEmpty == false)
    let footer = try #require(lines.last)
    #expect(footer["type"] as? String == "footer")
    #expect(footer["events"] as? Int == lines.count { $0["type"] as? String == "event" })
    #expect(footer["operations"] as? Int == 16)
    #expect(footer["failures"] as? Int == 5)
    #expect(
      footer["causes"] as? [String: Int] == [
        "mapping-missing": 1, "mapping-not-readable": 1, "pin-fsdax": 1, "fault-beyond-eof": 2,
      ])
  }

  /// All kinds, each field with a number of its own.
  @Test func everyKindOfRecordIsThere() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("rec"))
    let lines = try ExportedFixture(.jsonl, of: scratch("rec")).lines()
    let kinds = Set(lines.compactMap { $0["kind"] as? String })
    #expect(
      kinds == [
        "operation", "umem", "layer", "range", "walk", "levels", "entries", "mapping", "fault",
        "stack", "counter", "symbol", "pages", "account", "owner", "omitted", "cgroup", "shed",
        "folio", "refusal", "forked", "backing",
      ])
    let walk = try #require(lines.first { $0["kind"] as? String == "walk" })
    #expect(walk["function"] as? String == "hmm_vma_walk_pmd")
    #expect(walk["errno"] as? String == "EFAULT")
    #expect(walk["entry"] as? String == "0x8400000028040267")
    #expect(walk["pending_end"] as? String == "0x3000")
    #expect(walk["required_fault"] as? Int == 2)
    try checkSchema(lines)
  }

  @Test func membersOfARealRecordingAreInTheSchema() throws {
    try checkSchema(try ExportedFixture(.jsonl).lines())
  }

  /// `mrtrace export --schema > docs/schema/jsonl.json` makes the published one.
  @Test func publishedSchemaIsTheTools() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let published = try contents(of: root.appending(path: "docs/schema/jsonl.json").path)
    #expect(String(decoding: published, as: UTF8.self) == JSONLinesSchema.text)
  }

  @Test func textComesBackAsItWas() throws {
    let texts = ["", "a\"b\\c", "line\nfeed\ttab\u{1b}[31m", "é 漢 😀 \u{202e}x", "\u{7f}\u{85}"]
    let scratch = try ScratchDirectory()
    var file = try ExportFile.create(scratch("line"), force: false)
    let output = ByteOutput(to: file)
    JSONLine.write(to: output) { $0.texts("texts", texts) }
    try output.flush()
    try file.keep()
    let bytes = try contents(of: scratch("line"))
    #expect(bytes.dropLast().allSatisfy { $0 >= 0x20 && $0 < 0x7f })
    let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: [String]]
    #expect(object?["texts"] == texts)
  }
}

/// Every line's members are declared for its type, and none that is required is missing.
func checkSchema(_ lines: [[String: Any]]) throws {
  let schema = try #require(
    JSONSerialization.jsonObject(with: Data(JSONLinesSchema.text.utf8)) as? [String: Any])
  let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
  for line in lines {
    let type = try #require(line["type"] as? String)
    let isOfSeveral = line["recordings"] != nil
    let name =
      isOfSeveral
      ? "header_of_several"
      : type == "event" ? "event_" + (try #require(line["kind"] as? String)) : type
    let definition = try #require(definitions[name])
    let declared = try #require(definition["properties"] as? [String: Any])
    let required = definition["required"] as? [String] ?? []
    #expect(Set(line.keys).subtracting(declared.keys).isEmpty, "\(name)")
    #expect(Set(required).subtracting(line.keys).isEmpty, "\(name)")
  }
}
