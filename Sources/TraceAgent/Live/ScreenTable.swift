// SPDX-License-Identifier: Apache-2.0

import Terminal

/// Columns of one screen: never wrapped. Where the room is short, columns that can be missed go
/// first, then the widest text is cut.
struct ScreenTable {
  struct Column {
    var title: String
    var isNumber: Bool
    /// May be cut, with an ellipsis.
    var isFlexible: Bool
    /// 0 stays; the column with the largest number goes first.
    var dispensable: Int

    static func text(_ title: String, flexible: Bool = false, dispensable: Int = 0) -> Column {
      Column(title: title, isNumber: false, isFlexible: flexible, dispensable: dispensable)
    }
    static func number(_ title: String, dispensable: Int = 0) -> Column {
      Column(title: title, isNumber: true, isFlexible: false, dispensable: dispensable)
    }
  }

  let columns: [Column]
  var rows: [[Span]] = []
  var gap = 2
  private static let leastFlexible = 8

  init(_ columns: [Column], gap: Int = 2) {
    self.columns = columns
    self.gap = gap
  }

  mutating func add(_ cells: [Span]) { rows.append(cells) }

  /// The header and at most `most - 1` rows, each at most `width` columns.
  func lines(width: Int, most: Int) -> [[Span]] {
    guard most > 0 else { return [] }
    let shown = rows.prefix(most - 1)
    let header = columns.map { Span($0.title, .heading) }
    var used = Array(columns.indices)
    var widths = columns.indices.map { index in
      ([header] + shown).map { cell($0, index).cells }.max() ?? 0
    }
    func least(_ index: Int) -> Int {
      columns[index].isFlexible ? min(widths[index], Self.leastFlexible) : widths[index]
    }
    func total(_ width: (Int) -> Int) -> Int {
      used.reduce(0) { $0 + width($1) } + gap * max(used.count - 1, 0)
    }
    while total(least) > width,
      let gone = used.filter({ columns[$0].dispensable > 0 })
        .max(by: { columns[$0].dispensable < columns[$1].dispensable })
    {
      used.removeAll { $0 == gone }
    }
    for index in used.reversed() where columns[index].isFlexible {
      let over = total({ widths[$0] }) - width
      if over > 0 { widths[index] = max(widths[index] - over, least(index)) }
    }
    return ([header] + shown).map { row in
      var line: [Span] = []
      for (place, index) in used.enumerated() {
        let span = ScreenLine.cut(cell(row, index), to: widths[index])
        let padding = Span(String(repeating: " ", count: max(0, widths[index] - span.cells)))
        line += columns[index].isNumber ? [padding, span] : [span, padding]
        if place < used.count - 1 { line.append(Span(String(repeating: " ", count: gap))) }
      }
      return ScreenLine.cut(line, to: width)
    }
  }

  private func cell(_ row: [Span], _ index: Int) -> Span { index < row.count ? row[index] : "" }
}

/// One line of the screen.
enum ScreenLine {
  /// What fits into `width` columns, ended by "…" where something was cut.
  static func cut(_ line: [Span], to width: Int) -> [Span] {
    var line = line
    while let last = line.last, last.text.allSatisfy({ $0 == " " }) { line.removeLast() }
    guard line.reduce(0, { $0 + $1.cells }) > width else { return line }
    var result: [Span] = []
    var room = width
    for span in line {
      if span.cells < room {
        result.append(span)
        room -= span.cells
      } else {
        // One column at least is needed to say that there is more.
        result.append(Span(beginning(of: span.text, columns: room - 1) + "…", span.role))
        break
      }
    }
    return result
  }

  static func cut(_ span: Span, to width: Int) -> Span {
    guard span.cells > width else { return span }
    return Span(beginning(of: span.text, columns: width - 1) + (width > 0 ? "…" : ""), span.role)
  }

  private static func beginning(of text: String, columns: Int) -> String {
    var result = ""
    var used = 0
    for character in text {
      let more = SafeText.cells(String(character))
      if used + more > columns { break }
      used += more
      result.append(character)
    }
    return result
  }

  /// `line` and blanks up to `width` columns.
  static func padded(_ line: [Span], to width: Int) -> [Span] {
    let cells = line.reduce(0) { $0 + $1.cells }
    return cells < width ? line + [Span(String(repeating: " ", count: width - cells))] : line
  }

  static func painted(_ line: [Span], _ style: Style) -> String {
    line.reduce(into: "") { $0 += style.paint($1.text, $1.role) }
  }

  /// A line that carries colours already, as the report writes it, cut to `width` columns.
  static func cutPainted(_ line: String, to width: Int) -> String {
    var result = ""
    var used = 0
    var isEscape = false
    var isCut = false
    let plain = SafeText.cells(withoutEscapes(line))
    for character in line {
      if character == "\u{1b}" { isEscape = true }
      if isEscape {
        // After the cut too: what turns a colour off must not be missed.
        result.append(character)
        if character == "m" { isEscape = false }
        continue
      }
      if isCut { continue }
      let more = SafeText.cells(String(character))
      if plain > width, used + more > width - 1 {
        result += "…"
        isCut = true
        continue
      }
      used += more
      result.append(character)
    }
    return result
  }

  static func withoutEscapes(_ line: String) -> String {
    var result = ""
    var isEscape = false
    for character in line {
      if character == "\u{1b}" { isEscape = true }
      if !isEscape { result.append(character) }
      if isEscape, character == "m" { isEscape = false }
    }
    return result
  }
}
