// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// Flags against outcomes: the PAGES records of a recording, summed.
package struct PageStatistics: Equatable, Sendable {
  private struct Key: Hashable {
    var bits: UInt64
    var level: UInt32
    var outcome: UInt32
    var weight: UInt32
  }

  private var counts: [Key: UInt64] = [:]
  private var part = 0

  package init() {}

  package var isEmpty: Bool { counts.isEmpty }

  /// Other events than PAGES say nothing here.
  package mutating func add(_ event: Event) {
    guard case .pages(let record) = event else { return }
    let key = Key(
      bits: record.bits, level: record.level, outcome: record.outcome, weight: record.weight)
    counts[key, default: 0] &+= record.pages
  }

  /// An event of a part of a recording: each part ends with the totals since the start of the run.
  package mutating func add(_ event: Event, part: Int) {
    guard case .pages = event else { return }
    if part != self.part { counts = [:] }
    self.part = part
    add(event)
  }

  /// What was counted, most pages first; `format` is that of the kernel that wrote the entries.
  ///
  /// Levels and outcomes of a later version are left out.
  package func counts(format: PageTableFormat) -> [PageCount] {
    let decoded = counts.compactMap { key, pages -> (key: Key, count: PageCount)? in
      guard let level = Self.level(key.level), let outcome = Self.outcome(key.outcome),
        key.weight > 0
      else { return nil }
      let entry = format.decode(key.bits, level: level)
      return (
        key,
        PageCount(entry: entry, outcome: outcome, counted: pages, weight: UInt64(key.weight))
      )
    }
    return decoded.sorted { one, other in
      if one.count.pages != other.count.pages { return one.count.pages > other.count.pages }
      return (one.key.bits, one.key.level, one.key.outcome, one.key.weight)
        < (other.key.bits, other.key.level, other.key.outcome, other.key.weight)
    }.map(\.count)
  }

  private static func level(_ level: UInt32) -> PageTableLevel? {
    switch level {
    case MRT_LEVEL_PTE: .pte
    case MRT_LEVEL_PMD: .pmd
    default: nil
    }
  }

  private static func outcome(_ outcome: UInt32) -> PageCount.Outcome? {
    switch Int32(bitPattern: outcome) {
    case MRT_PAGES_ACCEPTED: .accepted
    case MRT_PAGES_FAILED: .inFailedWalk
    default: nil
    }
  }
}
