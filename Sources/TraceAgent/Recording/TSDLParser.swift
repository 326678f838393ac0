// SPDX-License-Identifier: Apache-2.0

/// Reads the environment block out of a metadata text.
struct TSDLParser {
  private enum Token: Equatable {
    case word(String)
    case string(String)
    case mark(UInt8)
    case end
  }

  private let text: [UInt8]
  private var position = 0

  private init(_ text: [UInt8]) { self.text = text }

  /// The fields of the `env` block of `metadata`; none where there is no such block.
  static func environment(of metadata: [UInt8]) throws(MetadataError) -> EnvironmentFields {
    guard metadata.starts(with: TSDLText.signature.utf8) else { throw .notCTF }
    var parser = TSDLParser(metadata)
    var depth = 0
    while true {
      switch try parser.next() {
      case .word("env") where depth == 0:
        guard try parser.next() == .mark(UInt8(ascii: "{")) else {
          throw .malformed(what: "the environment block does not begin")
        }
        return try parser.fields()
      case .mark(UInt8(ascii: "{")): depth += 1
      case .mark(UInt8(ascii: "}")): depth -= 1
      case .end: throw .foreign
      case .word, .string, .mark: break
      }
    }
  }

  private mutating func fields() throws(MetadataError) -> EnvironmentFields {
    var fields = EnvironmentFields()
    while true {
      switch try next() {
      case .mark(UInt8(ascii: "}")): return fields
      case .word(let key):
        guard try next() == .mark(UInt8(ascii: "=")) else {
          throw .malformed(what: "no value for \(key)")
        }
        switch try next() {
        case .string(let text): fields[key] = .string(text)
        case .word(let digits):
          guard let number = Int64(digits) else { throw .malformed(what: "no number for \(key)") }
          fields[key] = .integer(number)
        case .mark, .end: throw .malformed(what: "no value for \(key)")
        }
        guard try next() == .mark(UInt8(ascii: ";")) else {
          throw .malformed(what: "no end of the value of \(key)")
        }
      case .end: throw .malformed(what: "it ends inside the environment block")
      case .string, .mark: throw .malformed(what: "the environment block has no key")
      }
    }
  }

  private mutating func next() throws(MetadataError) -> Token {
    skipSpace()
    guard position < text.count else { return .end }
    let first = text[position]
    if first == UInt8(ascii: "\"") { return .string(try string()) }
    guard Self.isWord(first) else {
      position += 1
      return .mark(first)
    }
    let start = position
    while position < text.count, Self.isWord(text[position]) { position += 1 }
    return .word(String(decoding: text[start..<position], as: UTF8.self))
  }

  private mutating func string() throws(MetadataError) -> String {
    var bytes: [UInt8] = []
    position += 1
    while position < text.count {
      let byte = text[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): bytes.append(try escape())
      default: bytes.append(byte)
      }
    }
    throw .malformed(what: "it ends inside a text")
  }

  /// What stands after a backslash: only what ``TSDLText/literal(_:)`` writes.
  private mutating func escape() throws(MetadataError) -> UInt8 {
    guard position < text.count else { throw .malformed(what: "it ends inside a text") }
    let byte = text[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return byte
    case UInt8(ascii: "n"): return UInt8(ascii: "\n")
    case UInt8(ascii: "t"): return UInt8(ascii: "\t")
    default:
      let digits = String(decoding: text[(position - 1)...].prefix(3), as: UTF8.self)
      guard digits.utf8.count == 3, let value = UInt8(digits, radix: 8) else {
        throw .malformed(what: "an unknown escape in a text")
      }
      position += 2
      return value
    }
  }

  private mutating func skipSpace() {
    while position < text.count {
      if text[position] <= UInt8(ascii: " ") {
        position += 1
      } else if text[position...].starts(with: "/*".utf8) {
        position += 2
        while position < text.count, !text[position...].starts(with: "*/".utf8) { position += 1 }
        position = min(position + 2, text.count)
      } else if text[position...].starts(with: "//".utf8) {
        while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
      } else {
        return
      }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
