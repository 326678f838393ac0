// SPDX-License-Identifier: Apache-2.0

import Model

/// Who fails most and who waits longest, in bounded memory.
///
/// Exact for up to ``limit`` keys at a time. When there are more, those that matter least go into
/// ``others`` with their numbers; a key that comes back counts from there on, so that no sum is ever
/// wrong and a row may only be too small, which ``isExact`` says.
package struct RankedTable<Key: Hashable & Sendable>: Sendable {
  package struct Row: Sendable {
    package var key: Key
    package var tally: RankTally
  }

  package let limit: Int
  private var tallies: [Key: RankTally] = [:]
  package private(set) var others = RankTally()
  /// No key has been left out so far.
  package private(set) var isExact = true

  package init(limit: Int = 1024) { self.limit = max(limit, 8) }

  package var count: Int { tallies.count }

  package mutating func add(_ key: Key, _ tally: RankTally) {
    if tallies[key] == nil, tallies.count >= limit { makeRoom() }
    tallies[key, default: RankTally()].add(tally)
  }

  /// The `most` first rows by `order`, and all the rest as one (nil where there is none).
  package func top(_ most: Int, by order: RankOrder) -> (rows: [Row], rest: RankTally?) {
    let sorted = tallies.map { Row(key: $0.key, tally: $0.value) }.sorted {
      Self.precedes($0.tally, $1.tally, by: order)
    }
    var rest = others
    for row in sorted.dropFirst(most) { rest.add(row.tally) }
    return (Array(sorted.prefix(most)), rest == RankTally() ? nil : rest)
  }

  private mutating func makeRoom() {
    isExact = false
    let sorted = tallies.sorted { Self.precedes($0.value, $1.value, by: .failures) }
    // An eighth at a time, so that a flood of new keys does not sort at each of them.
    for (key, tally) in sorted.suffix(max(limit / 8, 1)) {
      others.add(tally)
      tallies[key] = nil
    }
  }

  private static func precedes(_ one: RankTally, _ other: RankTally, by order: RankOrder) -> Bool {
    switch order {
    case .failures:
      if one.failures != other.failures { return one.failures > other.failures }
      if one.faultNs != other.faultNs { return one.faultNs > other.faultNs }
    case .faultTime:
      if one.faultNs != other.faultNs { return one.faultNs > other.faultNs }
      if one.failures != other.failures { return one.failures > other.failures }
    }
    return one.lastNs > other.lastNs
  }
}

/// What the most important row is.
package enum RankOrder: String, CaseIterable, Sendable { case failures, faultTime }

/// What a row of a ``RankedTable`` has added up.
package struct RankTally: Equatable, Sendable {
  package var operations: UInt64 = 0
  package var failures: UInt64 = 0
  /// In what faults pages in: page faults, prefetches, advice.
  package var faultNs: UInt64 = 0
  /// CLOCK_MONOTONIC, ns.
  package var lastNs: UInt64 = 0

  mutating func add(_ other: RankTally) {
    operations &+= other.operations
    failures &+= other.failures
    let (sum, overflow) = faultNs.addingReportingOverflow(other.faultNs)
    faultNs = overflow ? .max : sum
    lastNs = max(lastNs, other.lastNs)
  }
}
