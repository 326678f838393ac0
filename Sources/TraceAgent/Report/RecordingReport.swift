// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Model
import Operations
import Recording
import Terminal

/// A run's recording read and correlated. What is said of a failure is made when it is shown, and not kept: it is several
/// times as large as the evidence.
package struct RecordingReport {
  /// As the recording was given.
  package let name: String
  package let environment: RecordingEnvironment
  /// In order of their end: those that failed, or all where that was asked for.
  package private(set) var operations: [Operation] = []
  /// How long operations took, all of them.
  package private(set) var latencies = OperationLatencies()
  package private(set) var summary = ReportSummary()
  private var explainer: Explainer

  private init(_ run: RecordedRun) {
    name = run.name
    environment = run.environment
    explainer = Explainer(run, watched: run.environment.watchedFunctions)
  }

  /// The recording at `path`, which may have parts.
  package static func load(_ path: String, keepAll: Bool) throws(RecordingError) -> RecordingReport
  {
    load(try RecordedRuns.open([path]).runs[0], keepAll: keepAll)
  }

  package static func load(_ run: RecordedRun, keepAll: Bool) -> RecordingReport {
    var order = RecordOrder()
    let report = load(run, keepAll: keepAll, lateNs: 0, order: &order)
    guard order.worstNs > Correlator.Configuration.recording.lateNs else { return report }
    // Records are out of order: once more, waiting for those that come late.
    return load(run, keepAll: keepAll, lateNs: order.worstNs, order: &order)
  }

  private static func load(
    _ run: RecordedRun, keepAll: Bool, lateNs: UInt64, order: inout RecordOrder
  ) -> RecordingReport {
    let environment = run.environment
    var report = RecordingReport(run)
    var pages = PageStatistics()
    var configuration = Correlator.Configuration.recording(completeFromNs: run.completeFromNs)
    configuration.returnsSuccesses = keepAll
    var correlator = Correlator(hooks: environment.hookNames, configuration: configuration)
    correlator.wait(lateNs)
    var ended: [Operation] = []
    var stacks = SharedStacks()
    var records = run.views()
    while let record = records.next() {
      report.explainer.accounts.add(record)
      order.note(record.header)
      if let counted = record.pages {
        pages.add(.pages(counted), part: records.part)
      }
      let known = ended.count
      correlator.add(record, into: &ended)
      for index in known..<ended.count { stacks.share(&ended[index]) }
    }
    ended += correlator.finish()
    report.latencies = correlator.latencies
    for index in ended.indices {
      // names of kernel addresses come at the end of a recording
      correlator.symbols.name(&ended[index])
      report.explainer.correct(&ended[index])
      stacks.share(&ended[index])
    }
    ended.sortByEnd()
    report.operations = ended
    report.summary = ReportSummary(
      seen: Operation.Kind.allCases.filter { correlator.ended[$0] > 0 }.map {
        ReportSummary.Seen(kind: $0, count: correlator.ended[$0])
      },
      loss: LossSummary(
        hooks: report.explainer.accounts.hooks(environment.hookNames),
        discarded: run.totals.discarded,
        unfinishedOperations: UInt64(correlator.statistics.unfinishedOperations),
        problems: run.problems),
      pages: pages.counts(format: environment.traits.pageTables),
      pageSample: UInt64(MRT_PAGES_SAMPLE))
    report.summary.sight = environment.sight
    return report
  }

  /// Of the operations that failed, in order of their end; each is made when it is asked for.
  package var diagnoses: some Sequence<Diagnosis> {
    operations.lazy.compactMap { diagnosis(of: $0) }
  }

  /// nil where it did not fail.
  package func diagnosis(of operation: Operation) -> Diagnosis? {
    explainer.diagnosis(of: operation)
  }

  /// Writes each failure in order of their end, and the totals.
  package func text(style: Style, into output: inout some TextOutputStream) {
    var totals = FailureTotals()
    let areSeveral = operations.count { $0.failed } > 1
    for diagnosis in diagnoses {
      ReportText.render(
        diagnosis, index: areSeveral ? totals.count + 1 : nil, style: style,
        clockOffsetNs: environment.clockOffsetNs
      ).write(to: &output)
      output.write("\n")
      totals.add(diagnosis, number: totals.count)
    }
    output.write(ReportText.summaryTable(totals, summary, style: style))
  }

  /// A line for each failed operation, or with `all` for each operation, in order of their end.
  package func jsonLines(all: Bool, into output: inout some TextOutputStream) {
    for operation in operations where all || operation.failed {
      output.write(jsonLine(of: operation))
      output.write("\n")
    }
  }

  /// `origin`: where several recordings are told together.
  package func jsonLine(of operation: Operation, origin: DiagnosisJSON.Origin? = nil) -> String {
    let offset = environment.clockOffsetNs
    guard let diagnosis = diagnosis(of: operation) else {
      return DiagnosisJSON.operationLine(operation, clockOffsetNs: offset, origin: origin)
    }
    return DiagnosisJSON.line(diagnosis, clockOffsetNs: offset, origin: origin)
  }
}

extension [Operation] {
  /// In order of their end; of the same end, as they were. In place: they may be many, and are large.
  fileprivate mutating func sortByEnd() {
    var order = indices.sorted { (self[$0].endNs, $0) < (self[$1].endNs, $1) }
    for start in order.indices where order[start] != start {
      let first = self[start]
      var place = start
      while order[place] != start {
        let next = order[place]
        self[place] = self[next]
        order[place] = place
        place = next
      }
      self[place] = first
      order[place] = place
    }
  }
}
