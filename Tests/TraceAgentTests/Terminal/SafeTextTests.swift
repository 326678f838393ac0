// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Terminal

@Suite struct SafeTextTests {
  @Test(arguments: [
    ("plain /path_1", "plain /path_1"), ("a\u{1b}[31mb", "a\\x1b[31mb"),
    ("a\nb\r\tc", "a\\nb\\r\\tc"),
    ("bell\u{7}", "bell\\x07"), ("del\u{7f}", "del\\x7f"), ("csi\u{9b}2J", "csi\\x9b2J"),
    ("evil\u{202e}txt", "evil\\u{202e}txt"), ("line\u{2028}end", "line\\u{2028}end"),
    ("mnt\\x2dpmem", "mnt\\x2dpmem"), ("größe 页", "größe 页"), ("cut\u{fffd}", "cut\u{fffd}"),
  ])
  func clean(text: String, expected: String) {
    #expect(SafeText.clean(text) == expected)
  }

  @Test func everySpanIsClean() {
    #expect(Span("a\u{1b}b").text == "a\\x1bb")
    #expect(Span.word("a\u{1b}b").text == "a\\x1bb")
    let literal: Span = "a\u{1b}b"
    #expect(literal.text == "a\\x1bb")
  }

  @Test(arguments: [("", 0), ("abc", 3), ("größe", 5), ("页面", 4), ("e\u{301}", 1), ("🙂", 2)])
  func cells(text: String, expected: Int) {
    #expect(SafeText.cells(text) == expected)
  }

  @Test func cutFitsTheWidth() {
    #expect(SafeText.cut("abcdef", to: 6) == "abcdef")
    #expect(SafeText.cut("abcdefg", to: 6) == "abc...")
    #expect(SafeText.cut("页面页面", to: 6) == "页...")
    #expect(SafeText.cut("abcdefg", to: 2) == "..")
    #expect(SafeText.cut("abcdefg", to: 0) == "")
  }
}
