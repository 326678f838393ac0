// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Terminal

@Suite struct TextBlockTests {
  @Test func proseIsFilledToTheWidth() {
    var block = TextBlock(style: .plain(width: 40))
    block.prose("one two three four five six seven eight nine ten", indent: 2, hang: 4)
    #expect(block.lines == ["  one two three four five six seven", "    eight nine ten"])
  }

  @Test func aLongWordIsNeverBroken() {
    let path = "/" + String(repeating: "x", count: 60)
    var block = TextBlock(style: .plain(width: 40))
    block.prose([Span("file"), .word(path), Span("is here")], indent: 2)
    #expect(block.lines == ["  file", "  " + path, "  is here"])
  }

  @Test func spacesInsideAPathStay() {
    var block = TextBlock(style: .plain(width: 40))
    block.prose([Span("a  b"), .word("/my  file")])
    #expect(block.lines == ["a b /my  file"])
  }

  @Test func fieldsAlignTheirParagraphs() {
    var block = TextBlock(style: .plain(width: 40))
    block.field("mr", indent: 2, [[Span("one")], [], [Span("two")]])
    block.field("nothing", indent: 2, [[]])
    #expect(block.lines == ["  mr       one", "           two"])
  }

  @Test func blankLinesDoNotPileUp() {
    var block = TextBlock(style: .plain())
    block.blank()
    block.prose("a")
    block.blank()
    block.blank()
    block.prose("b")
    #expect(block.text == "a\n\nb\n")
  }

  @Test func commasStandBetweenGroups() {
    let spans = Span.commas([[.word("a"), .word("b")], [], [.word("c")]])
    #expect(spans.map(\.text) == ["a", "b,", "c"])
  }
}

@Suite struct TextTableTests {
  static let table: TextTable = {
    var table = TextTable([
      .init("name"), .init("empty"), .init("count", .right), .init("text"),
    ])
    table.add(["a", "", "1", "first of the two rows here"])
    table.add(["longer", "", "100", "second"])
    return table
  }()

  func text(_ table: TextTable, width: Int) -> [String] {
    var block = TextBlock(style: .plain(width: width))
    block.table(table, indent: 0)
    return block.lines
  }

  @Test func columnsAlignAndEmptyOnesGo() {
    #expect(
      text(TextTableTests.table, width: 80) == [
        "name    count  text", "a           1  first of the two rows here", "longer    100  second",
      ])
  }

  @Test func theLastColumnIsWrapped() {
    var table = TextTableTests.table
    table.add(["b", "", "2", "a text that is too long for it"])
    #expect(
      text(table, width: 40).suffix(2) == [
        "b           2  a text that is too long", "               for it",
      ])
  }

  @Test func aNarrowTableShowsTheLastColumnBelow() {
    var table = TextTable([.init("first column that is wide"), .init("last")])
    table.add(["value", "this text goes below its row"])
    #expect(
      text(table, width: 40) == [
        "first column that is wide", "value", "    this text goes below its row",
      ])
  }

  @Test func wideCharactersCountTwice() {
    var table = TextTable([.init(""), .init("")], hasHeader: false)
    table.add(["页", "x"])
    table.add(["abc", "y"])
    #expect(text(table, width: 40) == ["页   x", "abc  y"])
  }

  @Test func theLastColumnCanStandRight() {
    var table = TextTable([.init("a"), .init("n", .right)])
    table.add(["x", "1"])
    table.add(["y", "100"])
    #expect(text(table, width: 40) == ["a    n", "x    1", "y  100"])
  }
}
