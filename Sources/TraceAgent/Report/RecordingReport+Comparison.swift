// SPDX-License-Identifier: Apache-2.0

import Recording
import Terminal

extension RecordingReport {
  /// As one side of `report --diff`.
  package var comparisonSide: ComparisonSide {
    let watched = environment.watchedFunctions
    return ComparisonSide(
      recording: name, host: environment.hostname, kernel: environment.kernelRelease,
      buildID: environment.buildID, machine: environment.machine, detail: environment.detail,
      startWallNs: environment.startWallNs,
      hooks: environment.hookPlan.map {
        .init(function: $0.symbol, rung: $0.rungName, isAttached: watched.contains($0.symbol))
      },
      failures: FailureTotals(diagnoses), latencies: latencies, summary: summary)
  }
}
