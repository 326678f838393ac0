// SPDX-License-Identifier: Apache-2.0

import Model

/// What the kernel side has counted so far: exact, whatever found room in the ring buffer.
package struct LiveCounters: Equatable, Sendable {
  /// Durations of operations of one kind, by how they ended.
  package struct Durations: Equatable, Sendable {
    package var succeeded = LogBuckets()
    package var failed = LogBuckets()
    package init() {}
  }

  /// Something that was not seen.
  package struct Loss: Equatable, Sendable {
    package var function: FunctionName
    /// As the exports name it: "ring_full", "missed", "untracked", …
    package var what: String
    package var count: UInt64
    package init(function: FunctionName, what: String, count: UInt64) {
      self.function = function
      self.what = what
      self.count = count
    }
  }

  package var operations: [Operation.Kind: Durations] = [:]
  /// Times that a driver gave pages back because their mapping changed; nil: not watched here.
  package var invalidations: LogBuckets?
  /// Flags of walked pages against the outcome.
  package var pages: [PageCount] = []
  package var losses: [Loss] = []
  /// What could not be hooked, a sentence each.
  package var gaps: [String] = []
  /// What would not be seen if it failed, a sentence each.
  package var blindness: [String] = []

  package init() {}
}
