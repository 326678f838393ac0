// SPDX-License-Identifier: Apache-2.0

/// Wall-clock time from the kernel's monotonic clock.
package enum WallClock {
  /// Nanoseconds since 1970; nil when the sum does not fit (a broken recording).
  package static func nanoseconds(monotonic: UInt64, offset: Int64) -> Int64? {
    guard let time = Int64(exactly: monotonic) else { return nil }
    let (sum, overflow) = time.addingReportingOverflow(offset)
    return overflow ? nil : sum
  }

  /// "2026-11-22 22:49:49.000123 UTC". UTC, since the machine that reads a recording may be
  /// elsewhere.
  package static func text(_ nanoseconds: Int64) -> String? {
    guard nanoseconds >= 0 else { return nil }
    let seconds = nanoseconds / 1_000_000_000
    let micros = nanoseconds % 1_000_000_000 / 1000
    let (year, month, day) = date(daysSince1970: seconds / 86400)
    let rest = seconds % 86400
    let time = [rest / 3600, rest % 3600 / 60, rest % 60].map { padded($0, 2) }
    return "\(year)-\(padded(month, 2))-\(padded(day, 2)) "
      + time.joined(separator: ":") + ".\(padded(micros, 6)) UTC"
  }

  private static func padded(_ value: Int64, _ digits: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Gregorian date: years counted from 1 March, so that the leap day comes last.
  private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let sinceMarch0 = days + 719_468
    let era = sinceMarch0 / 146_097
    let dayOfEra = sinceMarch0 % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, day)
  }
}
