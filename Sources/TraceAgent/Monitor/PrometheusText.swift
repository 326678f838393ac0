// SPDX-License-Identifier: Apache-2.0

/// Prometheus's text format (version 0.0.4): families one after the other, without timestamps.
package struct PrometheusText: Sendable {
  package enum Kind: String, Sendable { case counter, gauge, histogram }
  package typealias Labels = [(name: String, value: String)]

  package private(set) var text = ""
  private var family = ""

  package init() {}

  package mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    family = name
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  package mutating func sample(_ labels: Labels = [], _ value: UInt64) {
    line(family, labels, "\(value)")
  }

  /// A time, as seconds.
  package mutating func sample(_ labels: Labels = [], ns: UInt64) {
    line(family, labels, Self.seconds(ns))
  }

  /// `buckets`: upper bounds in ns, inclusive, and how many did not exceed them.
  package mutating func histogram(
    _ labels: Labels = [], buckets: [(ns: UInt64, count: UInt64)], count: UInt64, sumNs: UInt64
  ) {
    for bucket in buckets {
      line("\(family)_bucket", labels + [("le", Self.seconds(bucket.ns))], "\(bucket.count)")
    }
    line("\(family)_bucket", labels + [("le", "+Inf")], "\(count)")
    line("\(family)_sum", labels, Self.seconds(sumNs))
    line("\(family)_count", labels, "\(count)")
  }

  private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
    text += name
    if !labels.isEmpty {
      text += "{"
      for (index, label) in labels.enumerated() {
        text +=
          "\(index > 0 ? "," : "")\(label.name)=\"\(Self.escaped(label.value, quotes: true))\""
      }
      text += "}"
    }
    text += " \(value)\n"
  }

  /// Exact: no floating point between the kernel's nanoseconds and the text.
  static func seconds(_ ns: UInt64) -> String {
    let (whole, rest) = ns.quotientAndRemainder(dividingBy: 1_000_000_000)
    guard rest > 0 else { return "\(whole)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(whole).\(digits)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    let special: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\"")]
    guard text.utf8.contains(where: special.contains) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
