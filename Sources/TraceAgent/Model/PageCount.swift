// SPDX-License-Identifier: Apache-2.0

/// Pages that HMM walked whose entries said the same, by the outcome of their walk: one row of the
/// statistics that the kernel keeps (`mrt_pages`).
package struct PageCount: Equatable, Sendable {
  package enum Outcome: Sendable {
    /// In a walk that asked for faults and succeeded; sampled after the first of them.
    case accepted
    /// In a walk that failed: one of its pages decided. All are counted.
    case inFailedWalk
  }
  /// The entry without its page frame.
  package var entry: DecodedEntry
  package var outcome: Outcome
  /// 4 KiB pages that were looked at.
  package var counted: UInt64
  /// One walk of so many was looked at.
  package var weight: UInt64

  /// Pages that this stands for: exact where `weight` is 1.
  package var pages: UInt64 { counted &* weight }

  package init(entry: DecodedEntry, outcome: Outcome, counted: UInt64, weight: UInt64) {
    self.entry = entry
    self.outcome = outcome
    self.counted = counted
    self.weight = weight
  }
}
