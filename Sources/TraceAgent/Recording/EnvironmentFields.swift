// SPDX-License-Identifier: Apache-2.0

/// Keys and values of a CTF environment block: integers and strings, in order.
struct EnvironmentFields: Equatable, Sendable {
  enum Value: Equatable, Sendable {
    case integer(Int64)
    case string(String)
  }

  private(set) var order: [String] = []
  private var values: [String: Value] = [:]

  subscript(key: String) -> Value? {
    get { values[key] }
    set {
      if values[key] == nil && newValue != nil { order.append(key) }
      values[key] = newValue
    }
  }

  // MARK: Writing: nil leaves the key out

  mutating func set(_ key: String, _ text: String?) { self[key] = text.map(Value.string) }
  mutating func set(_ key: String, _ number: (some BinaryInteger)?) {
    self[key] = number.map { .integer(Int64(clamping: $0)) }
  }
  mutating func set(_ key: String, _ flag: Bool) { set(key, flag ? 1 : 0) }

  // MARK: Reading: nil where the key is absent

  func string(_ key: String) throws(MetadataError) -> String {
    guard let text = try optionalString(key) else { throw .missing(key: key) }
    return text
  }

  func optionalString(_ key: String) throws(MetadataError) -> String? {
    switch self[key] {
    case nil: return nil
    case .string(let text): return text
    case .integer: throw .invalid(key: key)
    }
  }

  /// A number in `range`; without, all that `Number` can hold.
  func number<Number: FixedWidthInteger>(
    _ key: String, in range: ClosedRange<Number> = Number.min...Number.max
  ) throws(MetadataError) -> Number {
    guard let number = try optionalNumber(key, in: range) else { throw .missing(key: key) }
    return number
  }

  func optionalNumber<Number: FixedWidthInteger>(
    _ key: String, in range: ClosedRange<Number> = Number.min...Number.max
  ) throws(MetadataError) -> Number? {
    switch self[key] {
    case nil: return nil
    case .string: throw .invalid(key: key)
    case .integer(let integer):
      guard let number = Number(exactly: integer), range.contains(number) else {
        throw .invalid(key: key)
      }
      return number
    }
  }

  func flag(_ key: String) throws(MetadataError) -> Bool {
    try number(key, in: 0...1) as Int == 1
  }

  /// One of the raw values of `Choice`.
  func choice<Choice: RawRepresentable<String>>(_ key: String) throws(MetadataError) -> Choice {
    guard let choice = Choice(rawValue: try string(key)) else { throw .invalid(key: key) }
    return choice
  }
}
