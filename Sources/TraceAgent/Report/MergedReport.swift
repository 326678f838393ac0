// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Recording
import Terminal

/// The reports of several runs, of one host or more, on one wall-clock axis.
package struct MergedReport {
  let reports: [RecordingReport]

  package init(reports: [RecordingReport]) { self.reports = reports }

  /// An operation of a report.
  private struct Place {
    var report: Int
    var index: Int
    var timeNs: Int64
    /// Its number among the failures of its report.
    var failure: Int
  }

  package func text(style: Style, into output: inout some TextOutputStream) {
    let places = places(all: false)
    var totals = reports.map { _ in FailureTotals() }
    for (number, place) in places.enumerated() {
      let report = reports[place.report]
      guard let diagnosis = report.diagnosis(of: report.operations[place.index]) else { continue }
      ReportText.render(
        diagnosis, index: places.count > 1 ? number + 1 : nil, style: style,
        clockOffsetNs: report.environment.clockOffsetNs, origin: origin(of: report)
      ).write(to: &output)
      output.write("\n")
      totals[place.report].add(diagnosis, number: place.failure)
    }
    let parts = zip(reports, totals).map { report, failures in
      MergedPart(
        recording: report.name, host: report.environment.hostname,
        kernel: report.environment.kernelRelease, failures: failures, summary: report.summary)
    }
    output.write(ReportText.mergedSummary(parts, style: style))
  }

  /// A line for each failed operation, or with `all` for each operation, in order of time.
  package func jsonLines(all: Bool, into output: inout some TextOutputStream) {
    for place in places(all: all) {
      let report = reports[place.report]
      let origin = DiagnosisJSON.Origin(
        host: report.environment.hostname, recording: report.name)
      output.write(report.jsonLine(of: report.operations[place.index], origin: origin))
      output.write("\n")
    }
  }

  /// In order of the time that is shown; of the same time, in order of the recordings.
  private func places(all: Bool) -> [Place] {
    var places: [Place] = []
    for (number, report) in reports.enumerated() {
      let offset = report.environment.clockOffsetNs
      var failures = 0
      for (index, operation) in report.operations.enumerated() where all || operation.failed {
        let (sum, overflow) = Int64(clamping: operation.startNs ?? operation.endNs)
          .addingReportingOverflow(offset)
        places.append(
          Place(
            report: number, index: index,
            timeNs: overflow ? (offset < 0 ? .min : .max) : sum, failure: failures))
        if operation.failed { failures += 1 }
      }
    }
    return places.sorted { ($0.timeNs, $0.report, $0.index) < ($1.timeNs, $1.report, $1.index) }
  }

  /// The host where there are several; the recording where the host does not tell it.
  private func origin(of report: RecordingReport) -> [String] {
    let host = report.environment.hostname
    let hosts = reports.map(\.environment.hostname)
    var origin = Set(hosts).count > 1 ? ["host \(host)"] : []
    if hosts.count(where: { $0 == host }) > 1 { origin.append("recording \(report.name)") }
    return origin
  }
}
