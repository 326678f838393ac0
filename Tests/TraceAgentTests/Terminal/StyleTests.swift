// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Terminal

@Suite struct StyleTests {
  static let escape: Character = "\u{1b}"

  @Test(
    arguments: [
      (true, nil, "xterm", true, true), (false, nil, "xterm", false, false),
      (true, "1", "xterm", false, true), (true, "", "xterm", true, true),
      (true, nil, "dumb", false, false), (true, nil, "", false, false),
      (true, nil, nil, false, false),
    ] as [(Bool, String?, String?, Bool, Bool)])
  func colourAndCursor(
    isTerminal: Bool, noColor: String?, term: String?, colour: Bool, cursor: Bool
  ) {
    let style = Style(isTerminal: isTerminal, noColor: noColor, term: term, width: 80)
    #expect(style.colour == colour)
    #expect(style.cursor == cursor)
    #expect(style.paint("text", .bad).contains(StyleTests.escape) == colour)
  }

  @Test func widthIsKeptInBounds() {
    func width(_ given: Int?) -> Int {
      Style(isTerminal: true, noColor: nil, term: "xterm", width: given).width
    }
    #expect(width(nil) == 100)
    #expect(width(0) == 100)
    #expect(width(-3) == 100)
    #expect(width(10) == 40)
    #expect(width(200) == 200)
    #expect(Style.plain(width: 200).proseWidth == 100)
  }

  @Test func colourEndsWhereItsTextEnds() {
    let style = Style(isTerminal: true, noColor: nil, term: "xterm", width: 80)
    #expect(style.paint("x", .heading) == "\u{1b}[1mx\u{1b}[0m")
    #expect(style.paint("x", nil) == "x")
    #expect(style.paint("", .bad) == "")
  }
}
