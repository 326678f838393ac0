// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Recording
import Terminal

/// The reports of several runs, of one host or more, on one wall-clock axis.
struct MergedReport {
  let reports: [RecordingReport]

  /// What stands where: a diagnosis or an operation of a report.
  private struct Place {
    var report: Int
    var index: Int
    var timeNs: Int64
  }

  func text(style: Style) -> String {
    var text = ""
    let places = places { $0.diagnoses.map(\.operation) }
    for (number, place) in places.enumerated() {
      let report = reports[place.report]
      text += ReportText.render(
        report.diagnoses[place.index], index: places.count > 1 ? number + 1 : nil, style: style,
        clockOffsetNs: report.environment.clockOffsetNs, origin: origin(of: report))
      text += "\n"
    }
    let parts = reports.map { report in
      MergedPart(
        recording: report.name, host: report.environment.hostname,
        kernel: report.environment.kernelRelease, diagnoses: report.diagnoses,
        summary: report.summary)
    }
    return text + ReportText.mergedSummary(parts, style: style)
  }

  /// A line for each failed operation, or with `all` for each operation, in order of time.
  func jsonLines(all: Bool) -> [String] {
    // By the place of the operation.
    let failures = reports.map { report in
      let places =
        all
        ? report.operations.indices.filter { report.operations[$0].failed }
        : Array(report.diagnoses.indices)
      return Dictionary(uniqueKeysWithValues: zip(places, report.diagnoses))
    }
    return places { all ? $0.operations : $0.diagnoses.map(\.operation) }.map { place in
      let report = reports[place.report]
      let offset = report.environment.clockOffsetNs
      let origin = DiagnosisJSON.Origin(
        host: report.environment.hostname, recording: report.name)
      if let diagnosis = failures[place.report][place.index] {
        return DiagnosisJSON.line(diagnosis, clockOffsetNs: offset, origin: origin)
      }
      return DiagnosisJSON.operationLine(
        report.operations[place.index], clockOffsetNs: offset, origin: origin)
    }
  }

  /// In order of the time that is shown; of the same time, in order of the recordings.
  private func places(of operations: (RecordingReport) -> [Operation]) -> [Place] {
    var places: [Place] = []
    for (number, report) in reports.enumerated() {
      let offset = report.environment.clockOffsetNs
      for (index, operation) in operations(report).enumerated() {
        let (sum, overflow) = Int64(clamping: operation.startNs ?? operation.endNs)
          .addingReportingOverflow(offset)
        places.append(
          Place(
            report: number, index: index,
            timeNs: overflow ? (offset < 0 ? .min : .max) : sum))
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
