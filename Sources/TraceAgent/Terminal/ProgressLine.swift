// SPDX-License-Identifier: Apache-2.0

/// One line of standard error that is written again and again; nothing at all where that is no
/// terminal.
///
/// Returns what is to be written; writing is the caller's, in one `write()` each.
package struct ProgressLine: Sendable {
  private let style: Style
  private var shown: String?

  /// - Parameter style: of standard error, not of standard output.
  package init(style: Style) { self.style = style }

  /// The bytes that show `text`, cut to one line; empty when it stands there already.
  package mutating func show(_ text: String) -> String {
    // One column is left free: filling the last one wraps on some terminals.
    let line = SafeText.cut(SafeText.clean(text), to: style.width - 1)
    guard style.cursor, line != shown else { return "" }
    shown = line
    return "\r\(line)\u{1b}[K"
  }

  /// The bytes that take the line away, before anything else is printed.
  package mutating func clear() -> String {
    guard shown != nil else { return "" }
    shown = nil
    return "\r\u{1b}[K"
  }
}
