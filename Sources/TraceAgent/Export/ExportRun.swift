// SPDX-License-Identifier: Apache-2.0

import Model
import Recording

/// Recordings on their way into an ``Exporter``, event by event, on one wall-clock axis.
///
/// They are read twice: names of addresses come at the end of a recording, and an operation needs
/// them when it is diagnosed. What waits in memory are the names, one packet of each stream, and
/// operations for at most a second of the recording's time.
package struct ExportRun {
  /// Is told how much of the work is done, from 0 to 1.
  private let progress: (Double) -> Void
  private var sources: [ExportSource]

  /// `watched` says which functions' failures a recording would hold; nil: not known.
  package init(
    _ runs: [RecordedRun], watched: (RecordingEnvironment) -> Set<FunctionName>?,
    progress: @escaping (Double) -> Void = { _ in }
  ) {
    self.progress = progress
    sources = runs.enumerated().map { index, run in
      let subject = ExportSubject(
        run.environment, name: run.name, index: index, of: runs.count)
      return ExportSource(run, subject, watched: watched(run.environment))
    }
  }

  /// Returns the totals of each run.
  @discardableResult
  package mutating func export(
    to exporter: inout some Exporter
  ) throws(ExportError) -> [ExportTotals] {
    var meter = Meter(
      all: sources.reduce(0) { $0 &+ $1.run.totals.records }, progress: progress)
    for index in sources.indices {
      sources[index].readNames { meter.count(from: 0, to: 0.2) }
    }
    meter.records = 0
    try exporter.begin(sources.map(\.subject))
    if sources.count == 1 {
      while try sources[0].step(to: &exporter) { meter.count(from: 0.2, to: 1) }
    } else {
      while let next = earliest {
        _ = try sources[next].step(to: &exporter)
        meter.count(from: 0.2, to: 1)
      }
    }
    for index in sources.indices { try sources[index].finish(&exporter) }
    let totals = sources.map(\.totals)
    try exporter.finish(totals)
    return totals
  }

  /// The source whose next event is the first; nil at the end of all.
  private var earliest: Int? {
    var first: (time: Int64, index: Int)?
    for index in sources.indices {
      guard let time = sources[index].nextNs else { continue }
      if let found = first, found.time <= time { continue }
      first = (time, index)
    }
    return first?.index
  }

  /// How far it is.
  private struct Meter {
    /// Records between two calls of `progress`.
    private static let stride: UInt64 = 8192

    var records: UInt64 = 0
    private let all: UInt64
    private let progress: (Double) -> Void

    init(all: UInt64, progress: @escaping (Double) -> Void) {
      self.all = all
      self.progress = progress
    }

    mutating func count(from: Double, to: Double) {
      records += 1
      guard records % Self.stride == 0 else { return }
      progress(from + (to - from) * min(Double(records) / Double(max(all, 1)), 1))
    }
  }
}
