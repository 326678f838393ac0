// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Export
@testable import Recording
@testable import Report
@testable import Terminal

/// A real recording, cut off at every byte and with every byte changed: no crash, no record that
/// was not written, and a sentence for what is missing.
@Suite struct RealDamageTests {
  @Test(arguments: RealRecording.streams)
  func cutAtEveryByte(name: String, step: Int) throws {
    let recording = try RealRecording()
    let stream = try StreamUnderTest(name, in: recording.path)
    try #require(stream.ends.count > 5)
    for count in stride(from: stream.bytes.count - 1, through: 0, by: -step) {
      let read = try stream.cut(at: count)
      let whole = stream.ends.last { $0.offset <= count } ?? (0, 0)
      guard read.records == Array(stream.whole.records[..<whole.records]) else {
        Issue.record("cut at \(count): \(read.records.count) records")
        return
      }
      let rest = count - whole.offset
      let problems: [RecordingProblem] =
        rest > 0 ? [.truncated(file: "stream", bytes: rest)] : []
      guard read.problems == problems else {
        Issue.record("cut at \(count): \(read.problems)")
        return
      }
    }
  }

  @Test(arguments: RealRecording.streams)
  func everyByteChanged(name: String, step: Int) throws {
    let recording = try RealRecording()
    let stream = try StreamUnderTest(name, in: recording.path)
    var masks = Masks()
    var start = 0
    var before = 0
    for (number, end) in stream.ends.enumerated() {
      for offset in stride(from: start + number % step, to: end.offset, by: step) {
        let read = try stream.flipping(masks.next(), at: offset)
        let isHeader = offset - start < PacketHeader.size
        // A packet whose header is damaged hides those behind it; otherwise it alone is missing.
        let behind = isHeader ? [] : stream.whole.records[end.records...]
        let expected = Array(stream.whole.records[..<before] + behind)
        let problem: RecordingProblem =
          isHeader
          ? .damaged(file: "stream", offset: start, bytes: stream.bytes.count - start)
          : .damagedPacket(file: "stream", offset: start, missing: end.records - before)
        guard read.records == expected, read.problems == [problem] else {
          Issue.record("packet \(number), byte \(offset): \(read.problems)")
          return
        }
      }
      start = end.offset
      before = end.records
    }
  }

  /// Before format 1.2 there were no checksums: what is wrong in a record cannot be seen, but it is
  /// that record alone.
  @Test func everyThirdByteChangedBeforeThereWereChecksums() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.copyItem(atPath: RecordingFixture.path(), toPath: scratch("r"))
    let stream = try StreamUnderTest(
      "stream_1", in: scratch("r"), headerSize: PacketHeader.sizeWithoutChecksums)
    let written = Set(stream.whole.records)
    var masks = Masks()
    for offset in stride(from: 0, to: stream.bytes.count, by: 3) {
      let read = try stream.flipping(masks.next(), at: offset)
      let strange = read.records.count { !written.contains($0) }
      guard strange <= 1, read.records.count <= stream.whole.records.count else {
        Issue.record("byte \(offset): \(strange) records that were not written")
        return
      }
      if read.records.count < stream.whole.records.count {
        #expect(!read.problems.isEmpty, "byte \(offset)")
      }
    }
  }

  /// Every byte of the metadata cut off, and changed: nothing is read from it.
  @Test func metadata() throws {
    let recording = try RealRecording()
    let file = "\(recording.path)/metadata"
    let bytes = try contents(of: file)
    var masks = Masks()
    let descriptor = open(file, O_RDWR | O_CLOEXEC)
    defer { close(descriptor) }
    func expectRefused(_ what: String) {
      do {
        _ = try RecordingReader.open(recording.path)
        Issue.record("\(what): it is read")
      } catch {
        #expect(error.sentence.hasSuffix("."), "\(what): \(error.sentence)")
      }
    }
    for offset in bytes.indices {
      var wrong = bytes[offset] ^ masks.next()
      #expect(pwrite(descriptor, &wrong, 1, off_t(offset)) == 1)
      expectRefused("byte \(offset) changed")
      var right = bytes[offset]
      #expect(pwrite(descriptor, &right, 1, off_t(offset)) == 1)
    }
    #expect(try RecordingReader.open(recording.path).problems == [])
    for count in bytes.indices.reversed() {
      #expect(ftruncate(descriptor, off_t(count)) == 0)
      expectRefused("cut at \(count)")
    }
  }

  /// All the way to the text and the lines, where the records themselves may be wrong (no
  /// checksums) and where packets are missing.
  @Test func reportAndExport() throws {
    for hasChecksums in [false, true] {
      let scratch = try ScratchDirectory()
      let recording = try RealRecording()
      try FileManager.default.copyItem(
        atPath: hasChecksums ? recording.path : RecordingFixture.path(), toPath: scratch("r"))
      let file = scratch("r/stream_1")
      let bytes = try contents(of: file)
      var masks = Masks()
      for offset in stride(from: 3, to: bytes.count, by: 173) {
        var changed = bytes
        changed[offset] ^= masks.next()
        try replace(file, with: changed)
        try readAll(scratch("r"), isTold: hasChecksums)
        try replace(file, with: Array(bytes[..<offset]))
        try readAll(scratch("r"), isTold: true)
      }
    }
  }

  private func readAll(_ path: String, isTold: Bool) throws {
    let report = try RecordingReport.load(path, keepAll: true)
    _ = report.text()
    for diagnosis in report.diagnoses {
      _ = DiagnosisJSON.line(diagnosis, clockOffsetNs: report.environment.clockOffsetNs)
    }
    let export = try ExportedFixture(.jsonl, of: path)
    if isTold {
      #expect(!report.summary.losses.isEmpty)
      #expect(!export.totals.problems.isEmpty)
    }
  }
}
