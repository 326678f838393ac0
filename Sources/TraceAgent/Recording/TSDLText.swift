// SPDX-License-Identifier: Apache-2.0

/// Pieces of CTF's metadata language (CTF 1.8.3, appendix C), as far as the environment block needs
/// them.
enum TSDLText {
  /// The first line that CTF 1.8 prescribes.
  static let signature = "/* CTF 1.8"

  /// A string literal, quotes included.
  static func literal(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case "\n": literal += "\\n"
      case "\t": literal += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        // Three octal digits always: what follows may be a digit.
        let octal = String(scalar.value, radix: 8)
        literal += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }

  /// `env { … };`
  static func block(_ fields: EnvironmentFields) -> String {
    var block = "env {\n"
    for key in fields.order {
      switch fields[key] {
      case .integer(let number): block += "\t\(key) = \(number);\n"
      case .string(let text): block += "\t\(key) = \(literal(text));\n"
      case nil: break
      }
    }
    return block + "};\n"
  }
}
