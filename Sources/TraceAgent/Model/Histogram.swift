// SPDX-License-Identifier: Apache-2.0

/// How often values occurred, to two significant digits, in bounded memory.
///
/// As HdrHistogram does it, which no maintained Swift package does without Foundation: values below
/// 256 have a bucket each; above, every power of two is divided into 128 buckets of the same width.
/// So a value that is told is never below the true one, and at most 1/128 (0.8 %) above it. At most
/// 7424 buckets, whatever the values and however many.
package struct Histogram: Equatable, Sendable {
  /// Buckets of each power of two, from 2^8 on: 2^`precision`.
  private static let precision = 7
  private static let exact = UInt64(1) << (precision + 1)

  package private(set) var count: UInt64 = 0
  /// Exact; nil where nothing was recorded.
  package private(set) var minimum: UInt64?
  package private(set) var maximum: UInt64?
  /// Up to the bucket of the largest value.
  private var counts: [UInt64] = []

  package init() {}

  package var isEmpty: Bool { count == 0 }

  package mutating func record(_ value: UInt64) {
    let index = Self.index(of: value)
    grow(to: index + 1)
    counts[index] &+= 1
    count &+= 1
    minimum = min(minimum ?? value, value)
    maximum = max(maximum ?? value, value)
  }

  package mutating func merge(_ other: Histogram) {
    grow(to: other.counts.count)
    for (index, count) in other.counts.enumerated() { counts[index] &+= count }
    count &+= other.count
    minimum = [minimum, other.minimum].compactMap(\.self).min()
    maximum = [maximum, other.maximum].compactMap(\.self).max()
  }

  /// The smallest value that at least `permille`/1000 of all values do not exceed (nearest rank):
  /// 500 is the median, 990 p99; nil where nothing was recorded.
  package func value(permille: UInt64) -> UInt64? {
    guard count > 0, let minimum, let maximum else { return nil }
    let (high, low) = count.multipliedFullWidth(by: min(permille, 1000))
    let (quotient, remainder) = UInt64(1000).dividingFullWidth((high, low))
    let rank = max(1, remainder > 0 ? quotient + 1 : quotient)
    if rank == count { return maximum }
    var passed: UInt64 = 0
    for (index, count) in counts.enumerated() {
      passed &+= count
      if passed >= rank { return max(min(Self.largest(in: index), maximum), minimum) }
    }
    return maximum
  }

  private mutating func grow(to size: Int) {
    if counts.count < size { counts += Array(repeating: 0, count: size - counts.count) }
  }

  /// The bucket of `value`.
  static func index(of value: UInt64) -> Int {
    guard value >= exact else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - precision
    // The top bit and the `precision` bits after it.
    return (shift << precision) + Int(value >> UInt64(shift))
  }

  /// The largest value of a bucket.
  static func largest(in index: Int) -> UInt64 {
    guard index >= Int(exact) else { return UInt64(index) }
    let shift = (index >> precision) - 1
    let top = UInt64(index - (shift << precision))
    return top << UInt64(shift) | (UInt64(1) << UInt64(shift) - 1)
  }
}
