// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Model
import Operations
import Recording

/// One run on its way into an ``Exporter``: its events, what they make, and its totals.
struct ExportSource {
  let run: RecordedRun
  let subject: ExportSubject
  private var records: RunViews
  private(set) var totals = ExportTotals()

  private var correlator: Correlator
  private var explainer: Explainer
  /// The last part that counts pages: each counts them from the start of the run on.
  private var pagesPart = 0

  init(_ run: RecordedRun, _ subject: ExportSubject, watched: Set<FunctionName>?) {
    self.run = run
    self.subject = subject
    explainer = Explainer(run, watched: watched)
    correlator = Correlator(
      hooks: subject.hooks, configuration: .recording(completeFromNs: run.completeFromNs))
    records = run.views()
  }

  /// Wall clock of the next event; nil at the end. What does not fit is the first or the last.
  var nextNs: Int64? {
    guard let time = records.nextTime else { return nil }
    let (sum, overflow) = Int64(clamping: time)
      .addingReportingOverflow(run.environment.clockOffsetNs)
    return overflow ? (run.environment.clockOffsetNs < 0 ? .min : .max) : sum
  }

  /// The first time through: names, where the last totals are, and what was lost when. Calls `each` for every event.
  mutating func readNames(_ each: () -> Void) {
    var records = run.views()
    var order = RecordOrder()
    defer { correlator.wait(order.worstNs) }
    while let view = records.next() {
      each()
      order.note(view.header)
      if view.pages != nil { pagesPart = records.part }
      explainer.accounts.add(view)
      if var group = view.cgroup {
        group.header.time_ns = 0
        _ = correlator.add(.cgroup(group))
        continue
      }
      guard var record = view.symbol else { continue }
      // At its own time it would end every wait of the second reading.
      record.header.time_ns = 0
      _ = correlator.add(.symbol(record))
    }
  }

  /// Gives the next event on; false at the end.
  mutating func step(to exporter: inout some Exporter) throws(ExportError) -> Bool {
    guard let record = records.next() else { return false }
    defer { records.settle() }
    let isPages = record.pages != nil
    if isPages && records.part != pagesPart { return true }
    totals.records += 1
    if exporter.records == .all || exporter.records == .pages && isPages {
      try exporter.add(record.event, of: subject)
    }
    // Known from the first reading.
    if record.isKnown, record.header.kind == MRT_KIND_SYMBOL.rawValue { return true }
    var ended: [Operation] = []
    correlator.add(record, into: &ended)
    for operation in ended { try give(operation, to: &exporter) }
    return true
  }

  mutating func finish(_ exporter: inout some Exporter) throws(ExportError) {
    for operation in correlator.finish() { try give(operation, to: &exporter) }
    let statistics = correlator.statistics
    totals.discarded = run.totals.discarded
    totals.unfinishedOperations = statistics.unfinishedOperations
    totals.unfinishedRecords = statistics.unfinishedRecords
    totals.problems = run.problems
    totals.hooks = explainer.accounts.hooks(subject.hooks)
  }

  private mutating func give(
    _ ended: Operation, to exporter: inout some Exporter
  ) throws(ExportError) {
    let (operation, diagnosis) = explainer.explain(ended)
    totals.operations += 1
    if let diagnosis {
      totals.failures += 1
      totals.causes[diagnosis.cause, default: 0] += 1
    }
    try exporter.add(ExportedOperation(operation, diagnosis, in: subject))
  }
}
