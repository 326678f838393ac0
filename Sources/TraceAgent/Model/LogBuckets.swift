// SPDX-License-Identifier: Apache-2.0

/// How often durations occurred, as the kernel side counts them (bpf/latency.h): buckets of a
/// logarithmic scale, so that weeks of operations fit into 2 KiB.
///
/// Durations below 16 ns have a bucket each; above, every power of two is divided into 8 buckets of
/// the same width. What a percentile tells is never below the true one, and at most 12.5 % above it.
/// The last bucket holds all from 2^34 ns (17 s) on.
package struct LogBuckets: Equatable, Sendable {
  private static let precision = 3
  package static let size = 256

  /// Of ``size`` buckets.
  package private(set) var counts: [UInt64]
  package private(set) var sumNs: UInt64
  package private(set) var maximumNs: UInt64

  package init() {
    counts = Array(repeating: 0, count: Self.size)
    sumNs = 0
    maximumNs = 0
  }

  package var count: UInt64 { counts.reduce(0, &+) }
  package var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }

  package mutating func record(_ ns: UInt64) {
    counts[Self.index(of: ns)] &+= 1
    sumNs &+= ns
    maximumNs = max(maximumNs, ns)
  }

  /// Adds what one CPU counted.
  package mutating func add(
    counts more: borrowing Span<UInt64>, sumNs: UInt64, maximumNs: UInt64
  ) {
    for index in 0..<min(more.count, Self.size) where more[index] != 0 {
      counts[index] &+= more[index]
    }
    self.sumNs &+= sumNs
    self.maximumNs = max(self.maximumNs, maximumNs)
  }

  package mutating func merge(_ other: LogBuckets) {
    add(counts: other.counts.span, sumNs: other.sumNs, maximumNs: other.maximumNs)
  }

  /// What at least `permille`/1000 of all durations do not exceed; nil where there is none.
  package func value(permille: UInt64) -> UInt64? {
    let total = count
    guard total > 0 else { return nil }
    let (high, low) = total.multipliedFullWidth(by: min(permille, 1000))
    let (quotient, remainder) = UInt64(1000).dividingFullWidth((high, low))
    let rank = max(1, remainder > 0 ? quotient + 1 : quotient)
    var passed: UInt64 = 0
    for (index, count) in counts.enumerated() {
      passed &+= count
      if passed >= rank { return min(Self.largest(in: index), maximumNs) }
    }
    return maximumNs
  }

  package static func index(of ns: UInt64) -> Int {
    guard ns >= 1 << UInt64(precision + 1) else { return Int(ns) }
    let shift = 63 - ns.leadingZeroBitCount - precision
    return min((shift << precision) + Int(ns >> UInt64(shift)), size - 1)
  }

  /// The largest duration of a bucket; all there is for the last one.
  package static func largest(in index: Int) -> UInt64 {
    guard index < size - 1 else { return .max }
    guard index >= 1 << (precision + 1) else { return UInt64(max(index, 0)) }
    let shift = (index >> precision) - 1
    return UInt64(index - (shift << precision) + 1) << UInt64(shift) - 1
  }
}
