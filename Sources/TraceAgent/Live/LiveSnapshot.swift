// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// Everything that is shown at one moment: screen, plain lines and JSON say the same numbers.
package struct LiveSnapshot: Sendable {
  package struct Durations: Equatable, Sendable {
    package var count: UInt64
    package var p50Ns: UInt64
    package var p99Ns: UInt64
    package var maximumNs: UInt64
    package var sumNs: UInt64
    /// nil where nothing was counted.
    package init?(_ buckets: LogBuckets) {
      let count = buckets.count
      guard count > 0, let p50 = buckets.value(permille: 500),
        let p99 = buckets.value(permille: 990)
      else { return nil }
      self.count = count
      (p50Ns, p99Ns) = (p50, p99)
      (maximumNs, sumNs) = (buckets.maximumNs, buckets.sumNs)
    }
  }

  /// A total and what of it is new in the last interval.
  package struct Count: Equatable, Sendable {
    package var total: UInt64 = 0
    package var new: UInt64 = 0
    package init(total: UInt64 = 0, new: UInt64 = 0) {
      self.total = total
      self.new = new
    }
  }

  package struct Kind: Equatable, Sendable {
    package var kind: Operation.Kind
    package var operations: Count
    package var failed: Count
    package var succeeded: Durations?
    package var failures: Durations?
  }

  package struct CauseRow: Equatable, Sendable {
    package var cause: String
    package var failures: Count
    /// Of them, what the program mended itself.
    package var mended: UInt64
    package var errnos: [String]
    package var confidences: [String]
    /// CLOCK_MONOTONIC, ns.
    package var lastNs: UInt64
  }

  package struct Failure: Sendable {
    /// From 1, in order of explanation.
    package var number: UInt64
    package var diagnosis: Diagnosis
  }

  package struct RankRow: Equatable, Sendable {
    package var name: String
    package var pid: Int?
    package var operations: UInt64
    package var failures: UInt64
    package var faultNs: UInt64
  }

  package struct Ranking: Equatable, Sendable {
    package var byFailures: [RankRow] = []
    package var byFaultTime: [RankRow] = []
    /// What is in no row of either.
    package var othersByFailures: RankRow?
    package var othersByFaultTime: RankRow?
    /// No row is too small for having been left out for a while.
    package var isExact = true
  }

  /// CLOCK_MONOTONIC, ns.
  package var timeNs: UInt64 = 0
  package var clockOffsetNs: Int64 = 0
  package var elapsedNs: UInt64 = 0
  /// Of all `new` numbers.
  package var intervalNs: UInt64 = 0
  package var kinds: [Kind] = []
  /// nil: not watched.
  package var invalidations: Count?
  package var invalidationDurations: Durations?
  /// Pages that HMM walked, as far as counted; ``pagesAreSampled``: about.
  package var pages = Count()
  package var pagesInFailedWalks: UInt64 = 0
  package var pagesAreSampled = false
  package var causes: [CauseRow] = []
  /// Failed operations whose cause has been looked for, the mended ones too.
  package var explained: UInt64 = 0
  package var mended: UInt64 = 0
  /// The last ones, the newest last.
  package var recent: [Failure] = []
  package var flags: [PageFlagsText.Row] = []
  package var processes = Ranking()
  package var regions = Ranking()
  package var files = Ranking()
  package var losses: [LiveCounters.Loss] = []
  package var gaps: [String] = []
  /// What would not be seen if it failed, a sentence each.
  package var blindness: [String] = []
  /// False: shown from a recording, nothing is attached.
  package var isAttached = true

  package init() {}

  package var operations: UInt64 { kinds.reduce(0) { $0 &+ $1.operations.total } }
  /// Failed operations, mended ones too.
  package var failed: UInt64 { kinds.reduce(0) { $0 &+ $1.failed.total } }
  package var lost: UInt64 { losses.reduce(0) { $0 &+ $1.count } }
}
