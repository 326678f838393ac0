// SPDX-License-Identifier: Apache-2.0

/// Aligned columns. The last one takes the room that is left and is wrapped; where too little is
/// left it goes below its row instead, so that nothing is cut.
package struct TextTable {
  package enum Alignment: Sendable { case left, right }
  package struct Column: Sendable {
    package var title: String
    package var alignment: Alignment
    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  var columns: [Column]
  var rows: [[Span]] = []
  var hasHeader = true

  private static let gap = 2
  /// Less room than this for the last column, and it is shown below.
  private static let leastLast = 24
  private static let belowIndent = 4

  package init(_ columns: [Column], hasHeader: Bool = true) {
    self.columns = columns
    self.hasHeader = hasHeader
  }

  package mutating func add(_ cells: [Span]) { rows.append(cells) }

  func lines(style: Style, width: Int) -> [[Span]] {
    guard let last = columns.indices.last else { return [] }
    var all = rows
    if hasHeader { all.insert(columns.map { Span($0.title, .dim) }, at: 0) }
    // A column that is empty in every row is not shown.
    let shown = columns.indices.filter { index in rows.contains { !cell($0, index).text.isEmpty } }
    let fixed = shown.filter { $0 != last }
    let widths = columns.indices.map { index in all.map { cell($0, index).cells }.max() ?? 0 }
    let before = fixed.reduce(0) { $0 + widths[$1] + TextTable.gap }
    let wanted = shown.contains(last) ? widths[last] : 0
    let below = before + min(wanted, TextTable.leastLast) > width

    var result: [[Span]] = []
    for (number, row) in all.enumerated() {
      var line: [Span] = []
      for index in fixed {
        let span = cell(row, index)
        let padding = Span(String(repeating: " ", count: widths[index] - span.cells))
        line += columns[index].alignment == .right ? [padding, span] : [span, padding]
        line.append("  ")
      }
      guard shown.contains(last) else {
        result.append(line)
        continue
      }
      let body = cell(row, last)
      if below {
        result.append(line)
        // The header of a column shown below says nothing.
        if hasHeader, number == 0 { continue }
        let indent = Span(String(repeating: " ", count: TextTable.belowIndent))
        result += wrap(body, width: width - TextTable.belowIndent).map { [indent] + $0 }
      } else {
        let parts = wrap(body, width: width - before)
        if columns[last].alignment == .right {
          line.append(Span(String(repeating: " ", count: max(0, wanted - body.cells))))
        }
        result.append(line + (parts.first ?? []))
        let indent = Span(String(repeating: " ", count: before))
        result += parts.dropFirst().map { [indent] + $0 }
      }
    }
    return result
  }

  private func cell(_ row: [Span], _ index: Int) -> Span {
    index < row.count ? row[index] : ""
  }

  private func wrap(_ span: Span, width: Int) -> [[Span]] {
    // Spaces inside a cell that fits are alignment: kept.
    if span.cells <= width { return span.text.isEmpty ? [] : [[span]] }
    return TextBlock.fill([span], first: width, rest: width)
  }
}
