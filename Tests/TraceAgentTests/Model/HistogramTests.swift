// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Model

@Suite struct HistogramTests {
  /// At the edges of every bucket there can be: in order, without a gap, and no wider than promised.
  @Test func bucketsAreContiguousAndNarrow() {
    var next: UInt64 = 0
    for index in 0..<7424 {
      #expect(Histogram.index(of: next) == index)
      let largest = Histogram.largest(in: index)
      #expect(largest >= next)
      #expect(Histogram.index(of: largest) == index)
      // (largest - smallest) / smallest, at most 1/128
      #expect((largest - next) <= next / 128)
      if index < 7423 { next = largest + 1 } else { #expect(largest == .max) }
    }
  }

  /// Against the sorted values themselves.
  @Test(arguments: [1, 2, 7, 100, 1000, 4999]) func percentilesAreWithinTheirBound(count: Int) {
    var random = Lehmer(state: UInt64(count))
    var histogram = Histogram()
    var values: [UInt64] = []
    for _ in 0..<count {
      // Every order of magnitude.
      let value = random.next() >> (random.next() % 64)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    #expect(histogram.count == UInt64(count))
    #expect(histogram.minimum == values.first)
    #expect(histogram.maximum == values.last)
    for permille in 0...1000 {
      let rank = max(1, (count * permille + 999) / 1000)
      let exact = values[rank - 1]
      let told = histogram.value(permille: UInt64(permille)) ?? 0
      #expect(told >= exact)
      #expect(told - exact <= exact / 128)
    }
  }

  @Test func nothingHasNoPercentile() {
    let histogram = Histogram()
    #expect(histogram.isEmpty)
    #expect(histogram.value(permille: 500) == nil)
    #expect(histogram.maximum == nil)
  }

  @Test func smallAndLargestValuesAreExact() {
    var histogram = Histogram()
    for value in [0, 1, 255, .max] as [UInt64] { histogram.record(value) }
    #expect(histogram.value(permille: 250) == 0)
    #expect(histogram.value(permille: 500) == 1)
    #expect(histogram.value(permille: 750) == 255)
    #expect(histogram.value(permille: 990) == .max)
    #expect(histogram.value(permille: 5000) == .max)
  }

  @Test func mergedIsAsIfRecordedInOne() {
    var random = Lehmer(state: 5)
    var (one, other, both) = (Histogram(), Histogram(), Histogram())
    for number in 0..<500 {
      let value = random.next() >> (random.next() % 64)
      if number % 3 == 0 { one.record(value) } else { other.record(value) }
      both.record(value)
    }
    one.merge(other)
    #expect(one == both)
    one.merge(Histogram())
    #expect(one == both)
  }
}

/// The same numbers each time.
private struct Lehmer: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    // splitmix64
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
