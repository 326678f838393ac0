// SPDX-License-Identifier: Apache-2.0

import CHTTP
import Kernel

/// What the monitor is to do: the same names in its file and as options.
package struct MonitorConfiguration: Equatable, Sendable {
  /// A setting that cannot be: one sentence.
  package struct Problem: Error, Equatable, Sendable {
    package var sentence: String
    package init(sentence: String) { self.sentence = sentence }
  }

  /// Where recordings go; nil: none are made.
  package var directory: String? = "/var/lib/mrtrace"
  package var textfile: String?
  package var listen: String?
  package var allowRemote = false
  package var intervalNs: UInt64 = 15_000_000_000
  package var againNs: UInt64 = 24 * 3_600_000_000_000
  package var recordingsPerHour = 12
  package var keep = 50
  package var maxTotal = 1 << 30
  package var linesPerMinute = 30
  // What is settled when the monitor starts.
  package var memory = 16 << 20
  package var ringSize = 1 << 20
  package var detail = TracerSettings.Detail.failures
  package var pinModules = false
  package var filter = FilterRequest()

  package init() {}

  /// As the file and the options name them.
  package static let keys = [
    "directory", "textfile", "listen", "allow-remote", "interval", "again", "recordings-per-hour",
    "keep", "max-total", "lines-per-minute", "memory", "ring-size", "detail", "pin-modules",
    "comm", "cgroup", "device", "errno",
  ]

  package mutating func set(_ key: String, _ value: String) throws(Problem) {
    func wrong(_ wanted: String) -> Problem {
      Problem(sentence: "\(key) = \(value): \(wanted)")
    }
    func size(_ range: ClosedRange<Int>, _ wanted: String) throws(Problem) -> Int {
      guard let size = MonitorQuantity.bytes(value), range.contains(size) else {
        throw wrong(wanted)
      }
      return size
    }
    func number(_ range: ClosedRange<Int>) throws(Problem) -> Int {
      guard let number = Int(value), range.contains(number) else {
        throw wrong("must be a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    func path() throws(Problem) -> String? {
      if value == "none" { return nil }
      guard value.hasPrefix("/") else { throw wrong("must be a path that begins with /, or none") }
      return value
    }
    func yes() throws(Problem) -> Bool {
      switch value {
      case "yes", "true", "1": return true
      case "no", "false", "0": return false
      default: throw wrong("must be yes or no")
      }
    }
    func duration(_ least: UInt64, _ wanted: String) throws(Problem) -> UInt64 {
      guard let ns = MonitorQuantity.nanoseconds(value), ns >= least else { throw wrong(wanted) }
      return ns
    }
    switch key {
    case "directory": directory = try path()
    case "textfile": textfile = try path()
    case "listen":
      if value != "none", chttp_address_kind(value) < 0 {
        throw wrong(
          "must be ADDRESS:PORT with a numeric address (127.0.0.1:9750, [::1]:9750), or none")
      }
      listen = value == "none" ? nil : value
    case "allow-remote": allowRemote = try yes()
    case "interval":
      intervalNs = try duration(1_000_000_000, "must be a time of at least a second (15s, 1m)")
    case "again": againNs = try duration(0, "must be a time (90s, 30m, 24h)")
    case "recordings-per-hour": recordingsPerHour = try number(1...3600)
    case "keep": keep = try number(1...100_000)
    case "max-total": maxTotal = try size(1 << 20...1 << 50, "must be a size from 1M on (64M, 1G)")
    case "lines-per-minute": linesPerMinute = try number(1...100_000)
    case "memory": memory = try size(256 << 10...1 << 40, "must be a size from 256K to 1024G")
    case "ring-size":
      let bytes = try size(4096...1 << 30, "must be a power of two from 4K to 1G")
      guard bytes & (bytes - 1) == 0 else { throw wrong("must be a power of two from 4K to 1G") }
      ringSize = bytes
    case "detail":
      guard let wanted = TracerSettings.Detail(rawValue: value),
        [.failures, .operations].contains(wanted)
      else {
        throw wrong("must be failures or operations")
      }
      detail = wanted
    case "pin-modules": pinModules = try yes()
    default:
      guard let kind = FilterRequest.Kind(rawValue: key) else {
        throw Problem(sentence: "there is no setting \(key)")
      }
      do throws(FilterRequest.Problem) { try filter.add(kind, value) } catch {
        throw wrong(error.sentence)
      }
    }
  }

  /// What only makes sense, or not, together.
  package func check() throws(Problem) {
    if let listen, !allowRemote, chttp_address_kind(listen) != 1 {
      throw Problem(
        sentence:
          "listen = \(listen): anybody who reaches this address could read the metrics; take a loopback "
          + "address (127.0.0.1, [::1]), or set allow-remote = yes")
    }
    if directory != nil, memory > maxTotal {
      throw Problem(
        sentence:
          "max-total must be at least memory (\(memory) bytes), or not even one recording may stay")
    }
  }

  /// The settings of `text` over `self`, "key = value" a line; "#" begins a comment.
  package func reading(_ text: String, of file: String) throws(Problem) -> MonitorConfiguration {
    var result = self
    var seen: Set<String> = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = Self.trimmed(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      let place = "\(file), line \(index + 1)"
      guard let equals = line.firstIndex(of: "=") else {
        throw Problem(sentence: "\(place): not of the form \"key = value\"")
      }
      let key = String(Self.trimmed(line[..<equals]))
      let value = String(Self.trimmed(line[line.index(after: equals)...]))
      guard Self.keys.contains(key) else {
        throw Problem(
          sentence:
            "\(place): there is no setting \"\(key)\"; there are \(Self.keys.joined(separator: ", "))"
        )
      }
      // of filters there may be several values
      guard seen.insert(key).inserted || FilterRequest.Kind(rawValue: key) != nil else {
        throw Problem(sentence: "\(place): \(key) is set twice")
      }
      guard !value.isEmpty else { throw Problem(sentence: "\(place): \(key) has no value") }
      do throws(Problem) {
        try result.set(key, value)
      } catch {
        throw Problem(sentence: "\(place): \(error.sentence)")
      }
    }
    return result
  }

  /// Settings that differ in `other` and that a running monitor does not take up.
  package func settledAtStart(differingIn other: MonitorConfiguration) -> [String] {
    var names: [String] = []
    if memory != other.memory { names.append("memory") }
    if ringSize != other.ringSize { names.append("ring-size") }
    if detail != other.detail { names.append("detail") }
    if pinModules != other.pinModules { names.append("pin-modules") }
    if directory != other.directory { names.append("directory") }
    for kind in FilterRequest.Kind.allCases where filter.differs(from: other.filter, in: kind) {
      names.append(kind.rawValue)
    }
    return names
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text
  }
}

/// Sizes and times as people write them.
package enum MonitorQuantity {
  /// 65536, 512K, 64M, 2G.
  package static func bytes(_ text: String) -> Int? {
    guard let (number, unit) = split(text) else { return nil }
    let shifts = ["": 0, "K": 10, "M": 20, "G": 30]
    guard let shift = shifts[unit.uppercased()], number <= UInt64(Int.max) >> UInt64(shift) else {
      return nil
    }
    return Int(number) << shift
  }

  /// 90s, 30m, 24h, 7d; a bare number is seconds.
  package static func nanoseconds(_ text: String) -> UInt64? {
    guard let (number, unit) = split(text) else { return nil }
    let seconds: [String: UInt64] = ["": 1, "s": 1, "m": 60, "h": 3600, "d": 86400]
    guard let factor = seconds[unit] else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor * 1_000_000_000)
    return overflow ? nil : product
  }

  private static func split(_ text: String) -> (UInt64, String)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits) else { return nil }
    return (number, String(text[digits.endIndex...]))
  }
}
