// SPDX-License-Identifier: Apache-2.0

import Model

/// Numbers as people read them.
package enum Quantity {
  package static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// "2097152 bytes (2 MiB)"; the second part only from 1 KiB on.
  package static func bytes(_ count: UInt64) -> String {
    let exact = count == 1 ? "1 byte" : "\(count) bytes"
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard count >= 1024 else { return exact }
    var unit: UInt64 = 1024
    var index = 0
    while index < units.count - 1, count / unit >= 1024 {
      unit <<= 10
      index += 1
    }
    let whole = count / unit
    let tenths = count % unit * 10 / unit
    if count % unit == 0 { return "\(exact) (\(whole) \(units[index]))" }
    return "\(exact) (\(whole).\(tenths) \(units[index]))"
  }

  /// "820 ns", "48.2 us", "1.2 ms", "3.4 s"; cut, not rounded.
  package static func duration(nanoseconds: UInt64) -> String {
    switch nanoseconds {
    case ..<1000: "\(nanoseconds) ns"
    case ..<1_000_000: tenths(nanoseconds, 1000) + " us"
    case ..<1_000_000_000: tenths(nanoseconds, 1_000_000) + " ms"
    default: tenths(nanoseconds, 1_000_000_000) + " s"
    }
  }

  private static func tenths(_ value: UInt64, _ unit: UInt64) -> String {
    "\(value / unit).\(value % unit * 10 / unit)"
  }

  /// "3.4"; rounded.
  static func oneDigit(_ value: Double) -> String {
    guard value.isFinite, value >= 0, value < 1e15 else { return "\(value)" }
    let tenths = UInt64((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  package static func count(_ number: Int, _ singular: String, _ plural: String? = nil) -> String {
    number == 1 ? "1 \(singular)" : "\(number) \(plural ?? singular + "s")"
  }

  /// "-EFAULT" for an errno, the number for anything else.
  static func result(_ result: Int64) -> String {
    Errno(result: result).map { "-\($0)" } ?? "\(result)"
  }
}
