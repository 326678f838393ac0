// SPDX-License-Identifier: Apache-2.0

import CEvents
import Testing

@testable import Model

@Suite struct LogBucketsTests {
  @Test func bucketsAreThoseOfTheKernelSide() {
    #expect(LogBuckets.size == Int(MRT_LATENCY_BUCKETS))
    #expect(
      MemoryLayout<mrt_latencies>.size == (LogBuckets.size + 2) * MemoryLayout<UInt64>.size)
  }

  /// Without a gap, and no wider than an eighth.
  @Test func bucketsAreContiguous() {
    var next: UInt64 = 0
    for index in 0..<LogBuckets.size - 1 {
      #expect(LogBuckets.index(of: next) == index)
      let largest = LogBuckets.largest(in: index)
      #expect(LogBuckets.index(of: largest) == index)
      #expect((largest - next) <= next / 8)
      next = largest + 1
    }
    #expect(LogBuckets.index(of: next) == LogBuckets.size - 1)
    #expect(LogBuckets.index(of: .max) == LogBuckets.size - 1)
    #expect(next > 15_000_000_000, "the last bucket begins after 15 s")
  }

  @Test func percentilesAreNeverTooSmallNorMuchTooLarge() {
    var buckets = LogBuckets()
    let values = (1...2000).map { UInt64($0) * UInt64($0) * 37 }
    for value in values { buckets.record(value) }
    #expect(buckets.count == 2000)
    #expect(buckets.maximumNs == values.last)
    for permille in stride(from: 1, through: 1000, by: 7) {
      let exact = values[max(1, (2000 * permille + 999) / 1000) - 1]
      let told = buckets.value(permille: UInt64(permille)) ?? 0
      #expect(told >= exact)
      #expect(told - exact <= exact / 8)
    }
  }

  @Test func whatCPUsCountedAddsUp() {
    var one = LogBuckets()
    var other = LogBuckets()
    var both = LogBuckets()
    for value in [3, 900, 70_000, 70_000] as [UInt64] {
      one.record(value)
      both.record(value)
    }
    for value in [5, 1_000_000] as [UInt64] {
      other.record(value)
      both.record(value)
    }
    one.merge(other)
    #expect(one == both)
    #expect(LogBuckets().value(permille: 500) == nil)
  }
}
