// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Live
@testable import Terminal

@Suite struct LiveScreenTests {
  static let sizes: [LiveScreen.Size] = [
    .init(columns: 80, rows: 24), .init(columns: 200, rows: 50), .init(columns: 40, rows: 10),
    .init(columns: 60, rows: 14), .init(columns: 139, rows: 60), .init(columns: 140, rows: 15),
    .init(columns: 500, rows: 200), .init(columns: 1, rows: 1), .init(columns: 0, rows: 0),
  ]

  /// On every page, at every size: as many lines as rows, none wider than the window, and nothing
  /// in them that the terminal would obey but colours.
  @Test(arguments: sizes) func fitsTheWindow(_ size: LiveScreen.Size) {
    for snapshot in [LiveSnapshot(), LiveSamples.heavy(1), LiveSamples.heavy()] {
      for keys in Self.paths {
        var view = LiveView()
        for key in keys { _ = view.press(key, newest: snapshot) }
        let lines = LiveScreen.lines(
          snapshot, LiveSamples.subject, &view, size: size, style: LiveSamples.colourful)
        #expect(lines.count == size.rows)
        for line in lines {
          let plain = ScreenLine.withoutEscapes(line)
          #expect(SafeText.cells(plain) <= size.columns)
          #expect(plain.unicodeScalars.allSatisfy { !SafeText.isUnsafe($0) })
        }
      }
    }
  }

  private static let paths: [[Key]] = [
    [], [.character("t")], [.character("t"), .tab, .tab], [.character("s")], [.down, .enter],
    [.down, .down, .enter, .end], [.character("?")], [.character("?"), .end], [.character("p")],
  ]

  @Test func at80x24WhatMattersMostIsThere() throws {
    let text = Self.text(LiveSamples.heavy(), columns: 80, rows: 24)
    // 5 kinds, 1000 of each and 10 failed.
    #expect(text.contains("5050 operations, 50 failed"))
    for word in ["reg_mr", "advise_mr", "prefetch", "page_fault", "invalidation", "p50", "p99"] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(text.contains("failures by cause"))
    #expect(text.contains("storage-server1[1298]"), "the newest but one")
    #expect(text.contains("LOST 12: hmm_vma_walk_pmd ring_full 12"))
    #expect(text.contains("NOT HOOKED 1"))
    #expect(text.contains("process"))
    #expect(text.contains("\u{2026}"), "what is cut says so")
    #expect(text.contains("q quit"))
  }

  @Test func widerShowsMore() {
    let snapshot = LiveSamples.heavy()
    let text = Self.text(snapshot, columns: 200, rows: 50)
    for cause in snapshot.causes { #expect(text.contains(cause.cause)) }
    for word in ["memory region", "file (of failures)", "page-table flags", "failed p99", "max"] {
      #expect(text.contains(word), "\(word)")
    }
  }

  @Test func emptyIsToldInWords() {
    let text = Self.text(LiveSnapshot(), columns: 80, rows: 24)
    #expect(text.contains("0 operations, 0 failed"))
    #expect(text.contains("nothing lost; all hooks attached"))
    #expect(text.contains("none"))
  }

  @Test func tooSmallIsASentence() {
    let text = Self.text(LiveSamples.heavy(), columns: 40, rows: 10)
    #expect(text.split(separator: "\n").joined(separator: " ").contains("The window is too small"))
  }

  /// The colour is never the only thing that tells.
  @Test func withoutColourNothingIsMissing() {
    var view = LiveView()
    let size = LiveScreen.Size(columns: 120, rows: 40)
    let (snapshot, subject) = (LiveSamples.heavy(), LiveSamples.subject)
    let coloured = LiveScreen.lines(
      snapshot, subject, &view, size: size, style: LiveSamples.colourful)
    let plain = LiveScreen.lines(snapshot, subject, &view, size: size, style: LiveSamples.plain)
    #expect(coloured.map(ScreenLine.withoutEscapes) == plain)
    #expect(coloured != plain)
    #expect(!plain.joined().contains("\u{1b}"))
  }

  @Test func wideCharactersAreCutWhole() {
    let line = [Span("\u{6df1}\u{6df1}\u{6df1}")]
    #expect(ScreenLine.cut(line, to: 6) == line)
    let cut = ScreenLine.cut(line, to: 4)
    #expect(cut.first?.text == "\u{6df1}\u{2026}")
    #expect(
      ScreenLine.cutPainted("\u{1b}[31mabcdef\u{1b}[0m", to: 4) == "\u{1b}[31mabc\u{2026}\u{1b}[0m")
  }

  static func text(_ snapshot: LiveSnapshot, columns: Int, rows: Int) -> String {
    var view = LiveView()
    return LiveScreen.lines(
      snapshot, LiveSamples.subject, &view, size: .init(columns: columns, rows: rows),
      style: LiveSamples.plain
    ).joined(separator: "\n")
  }
}

@Suite struct LiveViewTests {
  @Test func keysDoWhatTheySay() {
    let snapshot = LiveSamples.heavy(5)
    var view = LiveView()
    #expect(view.press(.character("q"), newest: snapshot) == .quit)
    #expect(view.press(.character("p"), newest: snapshot) == .stay)
    #expect(view.isPaused)
    #expect(view.shown(LiveSnapshot()).explained == 5, "what was there stays")
    _ = view.press(.character(" "), newest: LiveSnapshot())
    #expect(!view.isPaused)
    _ = view.press(.character("s"), newest: snapshot)
    #expect(view.order == .faultTime)
    for table in [LiveView.Table.regions, .files, .flags, .processes] {
      _ = view.press(.tab, newest: snapshot)
      #expect(view.table == table)
    }
  }

  /// The newest is on top; what is selected stays selected when newer ones come.
  @Test func selectsAndShowsDetail() {
    let snapshot = LiveSamples.heavy(5)
    var view = LiveView()
    _ = view.press(.down, newest: snapshot)
    #expect(view.selected == 5)
    _ = view.press(.down, newest: snapshot)
    #expect(view.selected == 4)
    #expect(view.selection(in: LiveSamples.heavy(9))?.number == 4)
    #expect(view.selection(in: LiveSamples.heavy(300))?.number == 201, "the oldest that is there")
    _ = view.press(.enter, newest: snapshot)
    guard case .detail(let failure) = view.page else {
      Issue.record("no detail")
      return
    }
    #expect(failure.number == 4)
    let lines = LiveScreen.lines(
      snapshot, LiveSamples.subject, &view, size: .init(columns: 100, rows: 40),
      style: LiveSamples.plain)
    let whole = ReportText.render(
      failure.diagnosis, index: 4, style: .plain(width: 100),
      clockOffsetNs: snapshot.clockOffsetNs)
    #expect(whole.split(separator: "\n").allSatisfy { lines.contains(String($0)) })
    #expect(view.press(.character("q"), newest: snapshot) == .stay)
    guard case .summary = view.page else {
      Issue.record("still not back")
      return
    }
  }

  @Test func scrollsToTheEndAndBack() {
    let snapshot = LiveSamples.heavy(1)
    var view = LiveView()
    let size = LiveScreen.Size(columns: 80, rows: 14)
    _ = view.press(.character("?"), newest: snapshot)
    _ = view.press(.end, newest: snapshot)
    let lines = LiveScreen.lines(
      snapshot, LiveSamples.subject, &view, size: size, style: LiveSamples.plain)
    #expect(lines.contains { $0.contains("ib_uverbs_reg_mr") })
    let end = view.scroll
    #expect(end > 0 && end < 100)
    _ = view.press(.up, newest: snapshot)
    #expect(view.scroll == end - 1)
  }

  @Test func bytesAreKeys() {
    var decoder = KeyDecoder()
    #expect(decoder.keys(Array("q\r\t".utf8)) == [.character("q"), .enter, .tab])
    #expect(
      decoder.keys(Array("\u{1b}[A\u{1b}OB\u{1b}[5~\u{1b}[6~".utf8)) == [
        .up, .down, .pageUp, .pageDown,
      ])
    // In two pieces, and an escape alone.
    #expect(decoder.keys(Array("\u{1b}".utf8)) == [])
    #expect(decoder.keys(Array("[B".utf8)) == [.down])
    #expect(decoder.keys(Array("\u{1b}".utf8)) == [])
    #expect(decoder.flush() == [.escape])
    #expect(decoder.keys(Array("\u{1b}j".utf8)) == [.escape, .character("j")])
    // No end in sight: forgotten, not kept for ever.
    #expect(decoder.keys(Array("\u{1b}[".utf8) + Array(repeating: 0x30, count: 100)) == [])
    #expect(decoder.keys(Array("k".utf8)) == [.character("k")])
  }
}

@Suite struct LivePlainTests {
  @Test func everyFailureIsToldOnce() {
    let snapshot = LiveSamples.heavy(3)
    var plain = LivePlain()
    let first = plain.lines(snapshot)
    #expect(first.split(separator: "\n").count { $0.hasPrefix("failure: ") } == 3)
    #expect(first.contains("5050 operations, 50 failed"))
    #expect(first.contains("not hooked: registrations"))
    let second = plain.lines(snapshot)
    #expect(!second.contains("failure: "))
    #expect(!second.contains("not hooked"))
    #expect(first.unicodeScalars.allSatisfy { $0 == "\n" || !SafeText.isUnsafe($0) })
  }

  @Test func manyAreCounted() {
    var plain = LivePlain()
    let lines = plain.lines(LiveSamples.heavy(300)).split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("failure: ") } == 21)
    #expect(lines.contains("failure: 280 more"))
  }
}

@Suite struct LiveJSONTests {
  @Test func isOneObjectALine() throws {
    var json = LiveJSON()
    let snapshot = LiveSamples.heavy(3)
    let lines = json.lines(snapshot, isLast: true).split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    for line in lines { _ = try JSONReader.object(line) }
    let last = try JSONReader.object(lines[3])
    #expect(last["type"] as? String == "live")
    #expect(last["last"] as? Bool == true)
    #expect(last["failed"] as? Int == 50)
    #expect(last["explained"] as? Int == 3)
    #expect(last["lost"] as? Int == 12)
    #expect((last["operations"] as? [[String: Any]])?.count == 5)
    let failure = try JSONReader.object(lines[0])
    #expect(failure["type"] as? String == "failure")
    #expect(failure["cause"] as? String == "pte-special-devmap")
    #expect(json.lines(snapshot, isLast: false).split(separator: "\n").count == 1)
  }

  /// Of many failures in an interval the last hundred have a line, and the others a count.
  @Test func countsWhatHasNoLine() throws {
    var json = LiveJSON()
    let snapshot = LiveSamples.heavy(300)
    let lines = json.lines(snapshot, isLast: false).split(separator: "\n").map(String.init)
    #expect(lines.count == 101)
    #expect(try JSONReader.object(lines[100])["untold"] as? Int == 200)
    let again = json.lines(snapshot, isLast: true).split(separator: "\n").map(String.init)
    #expect(try JSONReader.object(again[0])["untold"] as? Int == 0)
  }
}
