// SPDX-License-Identifier: Apache-2.0

/// Text that a terminal shows and never obeys.
///
/// Process names and paths are chosen by whoever is traced, and a recording by whoever sent it:
/// control characters, escape sequences and direction overrides in them are spelled out instead. A
/// backslash stays as it is, so that ordinary paths can be copied; the exact name is in the JSON.
package enum SafeText {
  package static func clean(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isUnsafe(scalar) {
        result += spelled(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Controls (C0, DEL, C1), invisible format characters such as direction overrides, line
  /// separators.
  static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  private static func spelled(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\r": return "\\r"
    default: break
    }
    let digits = String(scalar.value, radix: 16)
    guard scalar.value <= 0xff else { return "\\u{\(digits)}" }
    return "\\x" + (digits.count < 2 ? "0" : "") + digits
  }

  /// Columns that `text` takes on a terminal.
  package static func cells(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + cells($1) }
  }

  private static func cells(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    // East Asian wide and full-width blocks.
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
      0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }

  /// The beginning of `text` that fits into `width` columns, ended by "..." when something was cut.
  static func cut(_ text: String, to width: Int) -> String {
    if cells(text) <= width { return text }
    let room = max(0, width - 3)
    var result = ""
    var used = 0
    for character in text {
      let more = cells(character)
      if used + more > room { break }
      used += more
      result.append(character)
    }
    return result + String(repeating: ".", count: min(3, max(0, width)))
  }
}
