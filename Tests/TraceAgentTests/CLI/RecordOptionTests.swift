// SPDX-License-Identifier: Apache-2.0

import Pump
import Testing

@testable import mrtrace

@Suite struct RecordOptionTests {
  @Test(arguments: [
    ("65536", 65536), ("512K", 512 << 10), ("64M", 64 << 20), ("2g", 2 << 30), ("0", 0),
  ])
  func sizes(text: String, bytes: Int) {
    #expect(ByteSize(argument: text)?.bytes == bytes)
  }

  @Test(arguments: ["", "K", "-1", "1.5M", "64 M", "64MB", "9999999999999G", "x"])
  func noSizes(text: String) { #expect(ByteSize(argument: text) == nil) }

  /// One part for a storm of failures, and another one when it goes on.
  @Test func aStormOfFailuresIsOneEvent() {
    let second: UInt64 = 1_000_000_000
    var trigger = FailureTrigger()
    #expect(!trigger.isDue(at: 100 * second))
    var written: [UInt64] = []
    for tenth in 0..<300 as Range<UInt64> {
      let now = 100 * second + tenth * second / 10
      trigger.failed(at: now)
      if trigger.isDue(at: now) {
        trigger.written(at: now)
        written.append(tenth)
      }
    }
    #expect(written == [10, 110, 210])
    var quiet = FailureTrigger()
    quiet.failed(at: 5 * second)
    #expect(!quiet.isDue(at: 6 * second - 1))
    #expect(quiet.isDue(at: 6 * second))
    quiet.written(at: 6 * second)
    #expect(!quiet.isDue(at: 60 * second))
  }
}
