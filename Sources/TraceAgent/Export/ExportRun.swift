// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Model
import Operations
import Recording

/// A recording on its way into an ``Exporter``, event by event.
///
/// It is read twice: names of addresses come at the end of a recording, and an operation needs them
/// when it is diagnosed. What waits in memory are the names, one packet of each stream, and
/// operations for at most a second of the recording's time.
package struct ExportRun {
  /// Events between two calls of `progress`.
  private static let stride: UInt64 = 8192

  private let reader: RecordingReader
  private let subject: ExportSubject
  private let watched: Set<FunctionName>?
  /// Is told how much of the work is done, from 0 to 1.
  private let progress: (Double) -> Void

  private var correlator: Correlator
  private var totals = ExportTotals()
  private var counters: [UInt32: mrt_counter] = [:]

  package init(
    _ reader: RecordingReader, watched: Set<FunctionName>?,
    progress: @escaping (Double) -> Void = { _ in }
  ) {
    self.reader = reader
    self.watched = watched
    self.progress = progress
    subject = ExportSubject(reader.environment)
    correlator = Correlator(
      hooks: subject.hooks,
      configuration: .recording(completeFromNs: reader.environment.completeFromNs))
  }

  @discardableResult
  package mutating func export(
    to exporter: inout some Exporter
  ) throws(ExportError) -> ExportTotals {
    readNames()
    try exporter.begin(subject)
    var last: UInt64 = 0
    for event in reader.events() {
      totals.records += 1
      if totals.records % Self.stride == 0 { tell(totals.records, from: 0.2, to: 1) }
      if case .counter(let record) = event { counters[record.h.hook] = record }
      last = max(last, event.timeNs)
      try exporter.add(event)
      // Known from the first reading.
      if case .symbol = event { continue }
      for operation in correlator.add(event) { try give(operation, to: &exporter) }
    }
    for operation in correlator.finish() { try give(operation, to: &exporter) }
    finishTotals()
    try exporter.finish(totals)
    return totals
  }

  /// The first time through: names alone.
  private mutating func readNames() {
    var records: UInt64 = 0
    for event in reader.events() {
      records += 1
      if records % Self.stride == 0 { tell(records, from: 0, to: 0.2) }
      guard case .symbol(var record) = event else { continue }
      // At its own time it would end every wait of the second reading.
      record.header.time_ns = 0
      _ = correlator.add(.symbol(record))
    }
  }

  private mutating func give(
    _ ended: Operation, to exporter: inout some Exporter
  ) throws(ExportError) {
    var operation = ended
    operation.correctMissedEntry()
    let diagnosis = diagnose(
      operation, traits: reader.environment.traits, watched: watched)
    totals.operations += 1
    if let diagnosis {
      totals.failures += 1
      totals.causes[diagnosis.cause, default: 0] += 1
    }
    try exporter.add(ExportedOperation(operation, diagnosis, in: subject))
  }

  private mutating func finishTotals() {
    let statistics = correlator.statistics
    totals.discarded = reader.totals.discarded
    totals.unfinishedOperations = statistics.unfinishedOperations
    totals.unfinishedRecords = statistics.unfinishedRecords
    totals.problems = reader.problems.map(\.sentence)
    totals.losses = counters.values.sorted { $0.h.hook < $1.h.hook }
      .map { HookLoss($0, hooks: subject.hooks) }
  }

  private func tell(_ records: UInt64, from: Double, to: Double) {
    let part = Double(records) / Double(max(reader.totals.records, 1))
    progress(from + (to - from) * min(part, 1))
  }
}
