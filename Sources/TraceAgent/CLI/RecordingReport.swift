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
    var accounts = RecordedAccounts()
    var pages = PageStatistics()
    var configuration = Correlator.Configuration.recording(completeFromNs: run.completeFromNs)
    configuration.returnsSuccesses = keepAll
    var correlator = Correlator(hooks: environment.hookNames, configuration: configuration)
    var ended: [Operation] = []
    var records = run.views()
    while let record = records.next() {
      accounts.add(record)
      if let counted = record.pages {
        pages.add(.pages(counted), part: records.part)
      }
      correlator.add(record, into: &ended)
    }
    ended += correlator.finish()
    report.latencies = correlator.latencies
    let order = ended.indices.sorted { (ended[$0].endNs, $0) < (ended[$1].endNs, $1) }
    let watched = environment.watchedFunctions
    for index in order {
      // names of kernel addresses come at the end of a recording
      correlator.symbols.name(&ended[index])
      ended[index].correctMissedEntry()
      run.markGaps(&ended[index])
      if keepAll { report.operations.append(ended[index]) }
      if let diagnosis = diagnose(
        ended[index], traits: environment.traits, watched: watched,
        missed: accounts.missed(during: ended[index], environment.hookNames))
      {
        report.diagnoses.append(diagnosis)
      }
    }
    report.summary = ReportSummary(
      seen: Operation.Kind.allCases.filter { correlator.ended[$0] > 0 }.map {
        ReportSummary.Seen(kind: $0, count: correlator.ended[$0])
      },
      loss: LossSummary(
        hooks: accounts.hooks(environment.hookNames), discarded: run.totals.discarded,
        unfinishedOperations: UInt64(correlator.statistics.unfinishedOperations),
        problems: run.problems),
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
