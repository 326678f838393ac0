// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Foundation
import Model
import Operations
import Testing

@testable import Export
@testable import Recording
@testable import Report

/// Whatever is taken away from a real recording, doubled or put in another order, what is then said of a failure is
/// the same cause, a weaker confidence, or unknown: never another cause, never another kind of operation, never
/// proved where it was not.
@Suite struct TamperedRecordingTests {
  struct Answer: Equatable, CustomStringConvertible {
    var cause: String
    var confidence: Diagnosis.Confidence
    var kind: Model.Operation.Kind
    var kindSeen: Bool
    var incomplete: [String]
    var chain: [String]

    var description: String {
      "\(kind.rawValue)\(kindSeen ? "" : "?") \(cause) \(confidence.rawValue) \(chain) \(incomplete)"
    }
  }

  struct Recorded: Sendable {
    var environment: RecordingEnvironment
    var events: [Event]

    init(_ name: String) throws {
      let reader = try RecordingReader.open(try RecordingFixture.path(name))
      environment = reader.environment
      events = Array(reader.events())
    }

    /// As a report makes them.
    func answers(to events: [Event]) -> [OperationEnd: [Answer]] {
      let hooks = environment.hookNames
      var explainer = Explainer(
        hooks: hooks, traits: environment.traits, watched: .init(environment.watchedFunctions))
      var order = RecordOrder()
      for event in events {
        explainer.accounts.add(event)
        order.note(event.header)
      }
      var correlator = Correlator(hooks: hooks, configuration: .recording)
      correlator.wait(order.worstNs)
      var operations = events.flatMap { correlator.add($0) }
      operations += correlator.finish()
      var answers: [OperationEnd: [Answer]] = [:]
      for var operation in operations where operation.failed {
        correlator.symbols.name(&operation)
        guard let diagnosis = explainer.explain(operation).diagnosis else { continue }
        let end = OperationEnd(tid: UInt32(operation.runner.tid), timeNs: operation.endNs)
        answers[end, default: []].append(
          Answer(
            cause: diagnosis.cause, confidence: diagnosis.confidence,
            kind: diagnosis.operation.kind, kindSeen: diagnosis.operation.kindSeen,
            incomplete: diagnosis.incomplete,
            chain: diagnosis.chain.map { "\($0.function) \($0.result)" }))
      }
      return answers
    }
  }

  static let fixtures = FormatVersionTests.fixtures + ["7.3-many"]

  /// Each recording so long: thousands of variations where nothing else runs.
  private static let seconds = 8.0

  @Test(arguments: fixtures)
  func neverAnotherCause(_ name: String) throws {
    let recorded = try Recorded(name)
    let truth = recorded.answers(to: recorded.events)
    #expect(!truth.isEmpty && truth.values.allSatisfy { $0.count == 1 })
    let began = Date()
    var variations = 0
    var named = 0
    var wrong: [String] = []
    while Date().timeIntervalSince(began) < Self.seconds || variations < 200 {
      variations += 1
      var tampering = Tampering(recorded.events, seed: UInt64(variations))
      tampering.tamper()
      for (end, answers) in recorded.answers(to: tampering.events) {
        let was = tampering.moved[end] ?? end
        guard let right = truth[was]?.first else {
          wrong.append(
            "seed \(variations): a failure that was none, \(end): \(answers); \(tampering.notes)")
          continue
        }
        if answers.count > 1 {
          wrong.append("seed \(variations): told twice, \(end); \(tampering.notes)")
        }
        for answer in answers {
          if answer.cause != "unknown" { named += 1 }
          let isSame = answer.cause == right.cause || answer.cause == "unknown"
          let isWeaker = answer.confidence != .proved || right.confidence == .proved
          let isKind = answer.kind == right.kind || !answer.kindSeen
          if !isSame || !isWeaker || !isKind {
            wrong.append(
              "seed \(variations), \(end): \(answer), and was \(right); \(tampering.notes)")
          }
        }
      }
      if wrong.count > 10 { break }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(6).joined(separator: "\n"))")
    // A test in which nothing is named any more would show nothing.
    #expect(named > variations, "\(named) of \(variations)")
  }

  /// Where one call's end and the next one's beginning were missed, nothing of what is left counts as proved.
  @Test(arguments: fixtures)
  func stitchedOperationsAreNotProved(_ name: String) throws {
    let recorded = try Recorded(name)
    let truth = recorded.answers(to: recorded.events)
    var stitched = 0
    for seed in 1...300 as ClosedRange<UInt64> {
      var tampering = Tampering(recorded.events, seed: seed)
      tampering.stitch()
      guard let note = tampering.notes.first,
        let time = UInt64(note.split(separator: " ").last ?? "")
      else { continue }
      for (end, answers) in recorded.answers(to: tampering.events) where end.timeNs == time {
        stitched += 1
        for answer in answers {
          #expect(answer.confidence != .proved, "seed \(seed): \(answer)")
          #expect(
            answer.cause == "unknown" || answer.cause == truth[end]?.first?.cause,
            "seed \(seed): \(answer), and was \(truth[end] ?? [])")
        }
      }
    }
    #expect(stitched > 20)
  }

  /// What maps memory for a call that was not seen to begin is that call's, by its stack, or nobody's: no page fault.
  @Test(arguments: fixtures)
  func anUnseenKindIsSaidToBeUnseen(_ name: String) throws {
    let recorded = try Recorded(name)
    let truth = recorded.answers(to: recorded.events)
    var unseen = 0
    for seed in 1...120 as ClosedRange<UInt64> {
      var tampering = Tampering(recorded.events, seed: seed)
      tampering.missEntry()
      for (end, answers) in recorded.answers(to: tampering.events) {
        let right = try #require(truth[tampering.moved[end] ?? end]?.first)
        for answer in answers {
          if answer.kindSeen {
            #expect(answer.kind == right.kind, "seed \(seed): \(answer)")
          } else {
            unseen += 1
            #expect(answer.confidence != .proved)
          }
        }
      }
    }
    #expect(unseen > 5)
  }

  /// The same from files, by both ways that read them: records that come in another order than their times among them.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func reportAndExportAgree(_ seed: UInt64) throws {
    let recorded = try Recorded("7.3-format-1.3")
    var tampering = Tampering(recorded.events, seed: seed)
    tampering.reorder()
    tampering.tamper()
    let scratch = try ScratchDirectory()
    var environment = recorded.environment
    environment.formatMinor = RecordingEnvironment.formatMinor
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: environment, packetSize: 4096)
    for event in tampering.events {
      _ = SampleRecording.append(event, to: writer, cpu: Int(event.header.cpu))
    }
    try writer.close(now: tampering.events.map(\.timeNs).max() ?? 0)
    let report = try RecordingReport.load(scratch("r"), keepAll: false)
    var told = ""
    report.jsonLines(all: false, into: &told)
    func essence(_ object: [String: Any]) -> String {
      [
        "operation", "pid", "tid", "time_ns", "errno", "cause", "confidence", "incomplete",
        "kind_seen", "delivered",
      ]
      .map { "\(object[$0] ?? "-")" }.joined(separator: " ")
    }
    let reported = try told.split(separator: "\n").map {
      essence(try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]))
    }
    var file = try ExportFile.create(scratch("e"), force: false)
    var run = ExportRun(try RecordedRuns.open([scratch("r")]).runs) { $0.watchedFunctions }
    var exporter = JSONLinesExporter(ByteOutput(to: file))
    _ = try run.export(to: &exporter)
    try file.keep()
    let exported = try String(decoding: contents(of: scratch("e")), as: UTF8.self).split(
      separator: "\n"
    ).map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
      .filter { $0["type"] as? String == "failure" }.map(essence)
    #expect(reported.sorted() == exported.sorted())
  }
}
