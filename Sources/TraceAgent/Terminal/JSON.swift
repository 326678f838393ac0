// SPDX-License-Identifier: Apache-2.0

/// A JSON value that keeps the order of its keys and the exactness of its numbers.
enum JSON: Equatable, Sendable {
  case string(String)
  case unsigned(UInt64)
  case signed(Int64)
  case bool(Bool)
  case array([JSON])
  case object(JSONObject)

  /// An address, as the contract writes it: "0x7f10c0000000".
  static func hex(_ value: UInt64) -> JSON { .string(Quantity.hex(value)) }

  static func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }

  static func int(_ value: Int) -> JSON { .signed(Int64(value)) }

  /// One line, no blanks, no newline at its end.
  var line: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .string(let value): JSON.writeQuoted(value, to: &text)
    case .unsigned(let value): text += String(value)
    case .signed(let value): text += String(value)
    case .bool(let value): text += value ? "true" : "false"
    case .array(let values):
      text += "["
      for (number, value) in values.enumerated() {
        if number > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let object):
      text += "{"
      for (number, member) in object.members.enumerated() {
        if number > 0 { text += "," }
        JSON.writeQuoted(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  /// Escapes what JSON demands (RFC 8259, section 7), and what a terminal would obey when the line
  /// is shown on one: any reader gets the same string back.
  private static func writeQuoted(_ value: String, to text: inout String) {
    text += "\""
    let plain = value.utf8.allSatisfy {
      $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    if plain {
      text += value
    } else {
      for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        default:
          if SafeText.isUnsafe(scalar) {
            for unit in String(scalar).utf16 { text += escaped(unit) }
          } else {
            text.unicodeScalars.append(scalar)
          }
        }
      }
    }
    text += "\""
  }

  private static func escaped(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

/// Members in the order they were added; a value that is not known is not a member.
struct JSONObject: Equatable, Sendable {
  struct Member: Equatable, Sendable {
    var key: String
    var value: JSON
  }
  private(set) var members: [Member] = []

  mutating func add(_ key: String, _ value: JSON?) {
    guard let value else { return }
    members.append(Member(key: key, value: value))
  }

  mutating func add(_ key: String, _ value: String?) { add(key, value.map(JSON.string)) }
  mutating func add(_ key: String, number: UInt64?) { add(key, number.map(JSON.unsigned)) }
  mutating func add(_ key: String, number: Int?) { add(key, number.map(JSON.int)) }
  mutating func add(_ key: String, hex: UInt64?) { add(key, hex.map(JSON.hex)) }
  mutating func add(_ key: String, _ value: Bool?) { add(key, value.map(JSON.bool)) }

  /// nil when nothing is known: an empty object is left out.
  var orNil: JSON? { members.isEmpty ? nil : .object(self) }
}
