// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Terminal

@Suite struct QuantityTests {
  @Test(
    arguments: [
      (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1024 bytes (1 KiB)"),
      (1536, "1536 bytes (1.5 KiB)"), (2_097_152, "2097152 bytes (2 MiB)"),
      (UInt64.max, "18446744073709551615 bytes (15.9 EiB)"),
    ] as [(UInt64, String)])
  func bytes(count: UInt64, text: String) {
    #expect(Quantity.bytes(count) == text)
  }

  @Test(
    arguments: [
      (0, "0 ns"), (999, "999 ns"), (1000, "1.0 us"), (48_211, "48.2 us"), (1_999_999, "1.9 ms"),
      (3_450_000_000, "3.4 s"),
    ] as [(UInt64, String)])
  func duration(nanoseconds: UInt64, text: String) {
    #expect(Quantity.duration(nanoseconds: nanoseconds) == text)
  }

  @Test(
    arguments: [
      (-14, "-EFAULT"), (0, "0"), (7, "7"), (-4095, "-errno 4095"), (-4096, "-4096"),
      (Int64.min, "-9223372036854775808"),
    ] as [(Int64, String)])
  func result(result: Int64, text: String) {
    #expect(Quantity.result(result) == text)
  }

  /// Expected texts from `date -u -d @SECONDS`.
  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00.000000 UTC"),
      (951_827_696_123_456_789, "2000-02-29 12:34:56.123456 UTC"),
      (1_709_251_199_999_999_999, "2024-02-29 23:59:59.999999 UTC"),
      (1_709_251_200_000_000_000, "2024-03-01 00:00:00.000000 UTC"),
      (4_107_542_400_000_000_000, "2100-03-01 00:00:00.000000 UTC"), (-1, nil),
    ] as [(Int64, String?)])
  func wallClock(nanoseconds: Int64, text: String?) {
    #expect(WallClock.text(nanoseconds) == text)
  }

  @Test func aBrokenClockIsNoTime() {
    #expect(WallClock.nanoseconds(monotonic: 5, offset: 7) == 12)
    #expect(WallClock.nanoseconds(monotonic: 5, offset: -7) == -2)
    #expect(WallClock.nanoseconds(monotonic: .max, offset: 0) == nil)
    #expect(WallClock.nanoseconds(monotonic: UInt64(Int64.max), offset: 1) == nil)
  }
}
