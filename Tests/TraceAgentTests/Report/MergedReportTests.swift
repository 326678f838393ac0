// SPDX-License-Identifier: Apache-2.0

import Foundation
import Recording
import Testing

@testable import Report
@testable import Terminal

/// Recordings of several hosts, and in parts.
@Suite struct MergedReportTests {
  private let scratch: ScratchDirectory
  private let first: String

  init() throws {
    scratch = try ScratchDirectory()
    first = try RecordingFixture.path()
    try CopiedRecording.ofAnotherHost(first, at: scratch("other"))
  }

  private func merged(_ paths: String..., keepAll: Bool = true) throws -> MergedReport {
    MergedReport(
      reports: try RecordedRuns.open(paths).runs.map {
        RecordingReport.load($0, keepAll: keepAll)
      })
  }

  private func objects(_ lines: [String]) throws -> [[String: Any]] {
    try lines.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func failuresAreInOrderOfTimeAndNameTheirHost() throws {
    let report = try merged(first, scratch("other"))
    let objects = try objects(report.jsonLines(all: false))
    #expect(objects.count == 10)
    let times = objects.compactMap { $0["time_ns"] as? Int }
    #expect(times.count == 10)
    #expect(times == times.sorted())
    #expect(objects.count { $0["host"] as? String == "node2" } == 5)
    #expect(objects.count { $0["recording"] as? String == first } == 5)

    let text = report.text(.plain(width: 200))
    #expect(text.contains("\n  host node2, pid "))
    #expect(text.hasPrefix("1. "))
    #expect(text.contains("\n10. "))
    #expect(text.contains("8 failed operations, 2 mended by the program itself, of 32 operations"))
    #expect(text.contains("between hosts the order is as good as their clocks agree"))
    let rows = text.split(separator: "\n").filter { $0.contains("7.3.4+deb13-amd64") }
    #expect(rows.filter { $0.contains(" 16  ") && $0.contains("  yes  ") }.count == 2)
  }

  @Test func allOperationsOfAll() throws {
    let objects = try objects(merged(first, scratch("other")).jsonLines(all: true))
    #expect(objects.count == 32)
    let times = objects.compactMap { $0["time_ns"] as? Int }
    #expect(times == times.sorted())
    // Each with its own diagnosis.
    #expect(objects.count { $0["cause"] != nil } == 10)
    #expect(
      objects.allSatisfy { ($0["cause"] != nil) == ($0["errno"] != nil) && $0["host"] != nil })
  }

  /// Two runs on the same host are told apart by their recordings.
  @Test func runsOfOneHostNameTheirRecording() throws {
    try CopiedRecording.inParts(first, at: scratch("again"), count: 1)
    let text = try merged(first, scratch("again")).text(.plain(width: 300))
    #expect(text.contains("  recording \(scratch("again")), pid "))
    #expect(!text.contains("  host (none), "))
    #expect(!text.contains("clocks"))
  }

  /// What scripts read of one recording is what it always was, to the byte.
  @Test func oneRecordingIsToldAsEver() throws {
    let url = try #require(Bundle.module.resourceURL)
    let expected = try contents(of: url.appending(path: "Fixtures/reports/7.3.jsonl").path)
    let report = try RecordingReport.load(first, keepAll: true)
    #expect(report.jsonLines(all: true).map { $0 + "\n" }.joined().utf8.elementsEqual(expected))
    let failures = String(decoding: expected, as: UTF8.self).split(separator: "\n")
      .filter { $0.contains("\"cause\":") }.map(String.init)
    #expect(failures.count == 5)
    #expect(report.jsonLines(all: false) == failures)
  }

  @Test func partsAreOneRun() throws {
    try CopiedRecording.inParts(first, at: scratch("parts"), count: 4)
    let runs = try RecordedRuns.open([scratch("parts")])
    #expect(runs.runs.count == 1)
    #expect(runs.notes.isEmpty)
    let parts = RecordingReport.load(runs.runs[0], keepAll: true)
    let whole = try RecordingReport.load(first, keepAll: true)
    #expect(Array(parts.diagnoses) == Array(whole.diagnoses))
    #expect(parts.operations == whole.operations)
    #expect(parts.latencies == whole.latencies)
    #expect(parts.summary == whole.summary)
    // Given one by one and in another order: the same.
    let given = [4, 1, 3, 2].map { scratch("parts/part-00000\($0)") }
    let again = try RecordedRuns.open(given)
    #expect(again.runs.count == 1)
    #expect(RecordingReport.load(again.runs[0], keepAll: true).summary == whole.summary)
  }

  @Test func aPartThatIsMissingIsToldAndWhatSpansItIsIncomplete() throws {
    try CopiedRecording.inParts(first, at: scratch("parts"), count: 4)
    let whole = try RecordingReport.load(scratch("parts"), keepAll: true)
    try FileManager.default.removeItem(atPath: scratch("parts/part-000002"))
    let report = try RecordingReport.load(scratch("parts"), keepAll: true)
    #expect(
      report.summary.losses.contains("Part 2 of the recording is missing."))
    #expect(report.operations.count < whole.operations.count)
    let run = try RecordedRuns.open([scratch("parts")]).runs[0]
    let from = try #require(run.parts[1].firstNs)
    for operation in report.operations {
      let spans = (operation.startNs ?? 0) < from && operation.endNs >= from
      #expect(operation.beganBeforeRecording == spans)
      if operation.failed, spans {
        let diagnosis = report.diagnoses.first { $0.operation == operation }
        #expect(diagnosis?.confidence != .proved)
      }
    }
  }

  @Test func aPartThatCannotBeReadDoesNotHideTheOthers() throws {
    try CopiedRecording.inParts(first, at: scratch("parts"), count: 3)
    try replace(scratch("parts/part-000002/metadata"), with: Array("/* CTF 1.8 */".utf8))
    let report = try RecordingReport.load(scratch("parts"), keepAll: true)
    #expect(!report.operations.isEmpty)
    #expect(report.summary.losses.contains("Part 2 of the recording is missing."))
    #expect(report.summary.losses.contains { $0.contains("part-000002") })
  }

  @Test func theSameRecordingTwiceIsReadOnce() throws {
    let runs = try RecordedRuns.open([first, "\(first)/."])
    #expect(runs.runs.count == 1)
    #expect(runs.notes == ["\(first)/. is the same recording as \(first): it is read once."])
    try CopiedRecording.inParts(first, at: scratch("parts"), count: 3)
    let parts = try RecordedRuns.open([scratch("parts"), scratch("parts/part-000002")])
    #expect(parts.runs.count == 1)
    #expect(parts.runs[0].parts.count == 3)
    #expect(parts.notes.count == 1)
  }

  @Test func aDirectoryOfRecordingsSaysWhatToGive() throws {
    try CopiedRecording.ofAnotherHost(first, at: scratch("second"))
    #expect(throws: RecordingError.holdsRecordings(path: scratch.path, names: ["other", "second"]))
    {
      try RecordedRuns.open([scratch.path])
    }
    #expect(
      RecordingError.holdsRecordings(path: "d", names: ["a", "b", "c"]).sentence
        == "d is not a recording, but holds 3: give those that you mean, for example d/a d/b.")
  }
}
