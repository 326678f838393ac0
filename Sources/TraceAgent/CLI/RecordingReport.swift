// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Model
import Operations
import Recording
import Terminal

/// A recording read, correlated and diagnosed.
struct RecordingReport {
  let environment: RecordingEnvironment
  /// In order of their end.
  private(set) var diagnoses: [Diagnosis] = []
  /// All operations, failed ones too; empty unless asked for.
  private(set) var operations: [Operation] = []
  private(set) var summary = ReportSummary()

  static func load(_ path: String, keepAll: Bool) throws(RecordingError) -> RecordingReport {
    let reader = try RecordingReader.open(path)
    var report = RecordingReport(environment: reader.environment)
    var counters = RecordedCounters()
    var pages = PageStatistics()
    var correlator = Correlator(
      hooks: reader.environment.hookNames,
      configuration: .recording(completeFromNs: reader.environment.completeFromNs))
    var seen: [Operation.Kind: UInt64] = [:]
    var ended: [Operation] = []
    for event in reader.events() {
      if case .counter(let counter) = event { counters.add(counter) }
      pages.add(event)
      for operation in correlator.add(event) {
        seen[operation.kind, default: 0] += 1
        if operation.failed || keepAll { ended.append(operation) }
      }
    }
    for operation in correlator.finish() {
      seen[operation.kind, default: 0] += 1
      if operation.failed || keepAll { ended.append(operation) }
    }
    let order = ended.indices.sorted { (ended[$0].endNs, $0) < (ended[$1].endNs, $1) }
    let watched = reader.environment.watchedFunctions
    for index in order {
      // names of kernel addresses come at the end of a recording
      correlator.symbols.name(&ended[index])
      ended[index].correctMissedEntry()
      if keepAll { report.operations.append(ended[index]) }
      if let diagnosis = diagnose(
        ended[index], traits: reader.environment.traits, watched: watched)
      {
        report.diagnoses.append(diagnosis)
      }
    }
    report.summary = ReportSummary(
      seen: Operation.Kind.allCases.compactMap { kind in
        seen[kind].map { ReportSummary.Seen(kind: kind, count: $0) }
      },
      hooks: counters.hooks(names: reader.environment.hookNames),
      problems: reader.problems.map(\.sentence)
        + counters.problems(correlator.statistics, reader.totals),
      pages: pages.counts(format: reader.environment.traits.pageTables),
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
}
