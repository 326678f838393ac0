// SPDX-License-Identifier: Apache-2.0

/// Lines of text as they grow: wrapped prose, labelled fields, tables.
package struct TextBlock {
  package let style: Style
  package private(set) var lines: [String] = []

  /// Columns of a label and the space after it, e.g. "mapping  ".
  static let labelWidth = 9

  package init(style: Style) { self.style = style }

  /// Every line ended by a newline.
  package var text: String { lines.reduce(into: "") { $0 += $1 + "\n" } }

  package mutating func blank() {
    if let last = lines.last, !last.isEmpty { lines.append("") }
  }

  /// `spans` filled into lines; `hang` is the indent of all lines but the first.
  package mutating func prose(_ spans: [Span], indent: Int = 0, hang: Int? = nil) {
    let rest = hang ?? indent
    let filled = TextBlock.fill(
      spans, first: style.proseWidth - indent, rest: style.proseWidth - rest)
    for (number, line) in filled.enumerated() {
      append(line, indent: number == 0 ? indent : rest)
    }
  }

  package mutating func prose(_ text: String, indent: Int = 0, hang: Int? = nil) {
    prose([Span(text)], indent: indent, hang: hang)
  }

  /// A label and what belongs to it, the following paragraphs below the first.
  package mutating func field(_ label: String, indent: Int, _ paragraphs: [[Span]]) {
    let body = indent + TextBlock.labelWidth
    var labelled = false
    for paragraph in paragraphs where !paragraph.isEmpty {
      for line in TextBlock.fill(
        paragraph, first: style.proseWidth - body, rest: style.proseWidth - body)
      {
        append(line, indent: body, label: labelled ? nil : label, labelIndent: indent)
        labelled = true
      }
    }
  }

  /// A label and a table beside it.
  package mutating func field(_ label: String, indent: Int, table: TextTable) {
    let rows = table.lines(style: style, width: style.width - indent - TextBlock.labelWidth)
    for (number, row) in rows.enumerated() {
      append(
        row, indent: indent + TextBlock.labelWidth, label: number == 0 ? label : nil,
        labelIndent: indent)
    }
  }

  package mutating func table(_ table: TextTable, indent: Int) {
    for row in table.lines(style: style, width: style.width - indent) {
      append(row, indent: indent)
    }
  }

  package mutating func line(_ spans: [Span], indent: Int = 0) { append(spans, indent: indent) }

  private mutating func append(
    _ spans: [Span], indent: Int, label: String? = nil, labelIndent: Int = 0
  ) {
    var line = ""
    if let label {
      let room = indent - labelIndent
      line += String(repeating: " ", count: labelIndent) + style.paint(label, .dim)
      line += String(repeating: " ", count: max(1, room - label.count))
    } else {
      line += String(repeating: " ", count: indent)
    }
    var spans = spans
    while let last = spans.last, last.text.allSatisfy({ $0 == " " }) { spans.removeLast() }
    for span in spans { line += style.paint(span.text, span.role) }
    lines.append(line)
  }

  /// Fills words into lines of at most `first`, then `rest` columns. A word that is longer than a
  /// line gets one of its own and is never broken: an address or a path is to be copied.
  package static func fill(_ spans: [Span], first: Int, rest: Int) -> [[Span]] {
    var lines: [[Span]] = []
    var line: [Span] = []
    var used = 0
    for word in words(of: spans) {
      let room = lines.isEmpty ? first : rest
      if used > 0, used + 1 + word.cells > room {
        lines.append(line)
        line = []
        used = 0
      }
      if !line.isEmpty {
        line.append(" ")
        used += 1
      }
      line.append(word)
      used += word.cells
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }

  private static func words(of spans: [Span]) -> [Span] {
    spans.flatMap { span -> [Span] in
      if span.whole { return [span] }
      return span.text.split(separator: " ", omittingEmptySubsequences: true).map {
        Span.word(String($0), span.role)
      }
    }
  }
}
