// SPDX-License-Identifier: Apache-2.0

/// How text is shown: colour or none, and how wide.
///
/// A value made from facts that the caller read (isatty, environment, TIOCGWINSZ), so that every
/// text is a pure function of its arguments.
package struct Style: Equatable, Sendable {
  /// What a piece of text means; the colour follows from it. Never the only carrier of the meaning.
  package enum Role: Sendable { case heading, bad, warning, good, dim, accent }

  /// The text goes to a terminal.
  package var isTerminal: Bool
  /// Escape sequences may be written: a terminal that is not dumb. Colour needs more: see
  /// ``colour``.
  package var cursor: Bool
  package var colour: Bool
  /// Columns that may be filled.
  package var width: Int

  package static let defaultWidth = 100
  package static let minimumWidth = 40
  /// Longer lines of prose are hard to read, however wide the window is.
  static let proseLimit = 100

  /// - Parameters:
  ///   - isTerminal: `isatty()` of the file descriptor written to.
  ///   - noColor: value of NO_COLOR; nil when unset. Any value but the empty one turns colour off.
  ///   - term: value of TERM; "dumb", empty or unset: no escape sequence at all.
  ///   - width: columns of the terminal; nil or nonsense: ``defaultWidth``.
  package init(isTerminal: Bool, noColor: String?, term: String?, width: Int?) {
    self.isTerminal = isTerminal
    self.cursor = isTerminal && !(term ?? "").isEmpty && term != "dumb"
    self.colour = cursor && (noColor ?? "").isEmpty
    guard let width, width > 0 else {
      self.width = Style.defaultWidth
      return
    }
    self.width = max(width, Style.minimumWidth)
  }

  /// No colour, no cursor: files, pipes, tests.
  package static func plain(width: Int = defaultWidth) -> Style {
    Style(isTerminal: false, noColor: nil, term: nil, width: width)
  }

  /// Columns for prose.
  var proseWidth: Int { min(width, Style.proseLimit) }

  /// `text` in the colour of `role`; unchanged without colour. The text must be safe (``SafeText``)
  /// already.
  package func paint(_ text: String, _ role: Role?) -> String {
    guard colour, let role, !text.isEmpty else { return text }
    let code =
      switch role {
      case .heading: "1"
      case .bad: "1;31"
      case .warning: "33"
      case .good: "32"
      case .dim: "2"
      case .accent: "36"
      }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }
}
