// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Model
import Operations
import Recording
import Terminal

/// A run's recording read, correlated and diagnosed.
struct RecordingReport {
  /// As the recording was given.
  let name: String
  let environment: RecordingEnvironment
  /// In order of their end.
  private(set) var diagnoses: [Diagnosis] = []
  /// All operations, failed ones too; empty unless asked for.
  private(set) var operations: [Operation] = []
  /// How long operations took, all of them.
  private(set) var latencies = OperationLatencies()
  private(set) var summary = ReportSummary()

  /// The recording at `path`, which may have parts.
  static func load(_ path: String, keepAll: Bool) throws(RecordingError) -> RecordingReport {
    load(try RecordedRuns.open([path]).runs[0], keepAll: keepAll)
  }

  static func load(_ run: RecordedRun, keepAll: Bool) -> RecordingReport {
    let environment = run.environment
    var report = RecordingReport(name: run.name, environment: environment)
    var counters = RecordedCounters()
    var pages = PageStatistics()
    var pagesPart = 0
    var correlator = Correlator(
      hooks: environment.hookNames, configuration: .recording(completeFromNs: run.completeFromNs))
    var seen: [Operation.Kind: UInt64] = [:]
    var ended: [Operation] = []
    func take(_ operation: Operation) {
      seen[operation.kind, default: 0] += 1
      report.latencies.add(operation)
      guard operation.failed || keepAll else { return }
      ended.append(operation)
    }
    var events = run.events()
    while let event = events.next() {
      switch event {
      case .counter(let counter): counters.add(counter)
      case .pages:
        // Totals since the start of the run, at the end of each part.
        if events.part != pagesPart { pages = PageStatistics() }
        pagesPart = events.part
        pages.add(event)
      default: break
      }
      for operation in correlator.add(event) { take(operation) }
    }
    for operation in correlator.finish() { take(operation) }
    let order = ended.indices.sorted { (ended[$0].endNs, $0) < (ended[$1].endNs, $1) }
    let watched = environment.watchedFunctions
    for index in order {
      // names of kernel addresses come at the end of a recording
      correlator.symbols.name(&ended[index])
      ended[index].correctMissedEntry()
      run.markGaps(&ended[index])
      if keepAll { report.operations.append(ended[index]) }
      if let diagnosis = diagnose(
        ended[index], traits: environment.traits, watched: watched)
      {
        report.diagnoses.append(diagnosis)
      }
    }
    report.summary = ReportSummary(
      seen: Operation.Kind.allCases.compactMap { kind in
        seen[kind].map { ReportSummary.Seen(kind: kind, count: $0) }
      },
      hooks: counters.hooks(names: environment.hookNames),
      problems: run.problems + counters.problems(correlator.statistics, run.totals),
      pages: pages.counts(format: environment.traits.pageTables),
      pageSample: UInt64(MRT_PAGES_SAMPLE))
    return report
  }

  func text(style: Style) -> String {
    var text = ""
    for (index, diagnosis) in diagnoses.enumerated() {
      text += ReportText.render(
        diagnosis, index: diagnoses.count > 1 ? index + 1 : nil, style: style,
        clockOffsetNs: environment.clockOffsetNs)
      text += "\n"
    }
    return text + ReportText.summaryTable(diagnoses, summary, style: style)
  }

  /// A line for each failed operation, or with `all` for each operation, in order of their end.
  func jsonLines(all: Bool) -> [String] {
    let offset = environment.clockOffsetNs
    guard all else { return diagnoses.map { DiagnosisJSON.line($0, clockOffsetNs: offset) } }
    var diagnoses = diagnoses.makeIterator()
    return operations.map { operation in
      if operation.failed, let diagnosis = diagnoses.next() {
        return DiagnosisJSON.line(diagnosis, clockOffsetNs: offset)
      }
      return DiagnosisJSON.operationLine(operation, clockOffsetNs: offset)
    }
  }
}
