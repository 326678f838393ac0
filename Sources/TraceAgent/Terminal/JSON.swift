// SPDX-License-Identifier: Apache-2.0

/// A JSON value that keeps the order of its keys and the exactness of its numbers.
package enum JSON: Equatable, Sendable {
  case string(String)
  case unsigned(UInt64)
  case signed(Int64)
  case bool(Bool)
  case array([JSON])
  case object(JSONObject)

  /// An address, as the contract writes it: "0x7f10c0000000".
  package static func hex(_ value: UInt64) -> JSON { .string(Quantity.hex(value)) }

  package static func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }

  package static func int(_ value: Int) -> JSON { .signed(Int64(value)) }

  /// One line, no blanks, no newline at its end.
  package var line: String {
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
package struct JSONObject: Equatable, Sendable {
  package struct Member: Equatable, Sendable {
    package var key: String
    package var value: JSON
  }
  package private(set) var members: [Member] = []

  package init() {}

  package mutating func add(_ key: String, _ value: JSON?) {
    guard let value else { return }
    members.append(Member(key: key, value: value))
  }

  package mutating func add(_ key: String, _ value: String?) { add(key, value.map(JSON.string)) }
  package mutating func add(_ key: String, number: UInt64?) { add(key, number.map(JSON.unsigned)) }
  package mutating func add(_ key: String, number: Int?) { add(key, number.map(JSON.int)) }
  package mutating func add(_ key: String, hex: UInt64?) { add(key, hex.map(JSON.hex)) }
  package mutating func add(_ key: String, _ value: Bool?) { add(key, value.map(JSON.bool)) }

  /// nil when nothing is known: an empty object is left out.
  package var orNil: JSON? { members.isEmpty ? nil : .object(self) }
}
