// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// The screen as lines: a pure function of a snapshot, what the user wants to see, and the size.
package enum LiveScreen {
  package struct Size: Equatable, Sendable {
    package var columns: Int
    package var rows: Int
    package init(columns: Int, rows: Int) {
      self.columns = columns
      self.rows = rows
    }
  }

  /// What does not change while it runs.
  package struct Subject: Sendable {
    /// "all processes", "pid 4242", "./server --pool …", "recording rec".
    package var what: String
    package var kernel: String
    package init(what: String, kernel: String) {
      self.what = what
      self.kernel = kernel
    }
  }

  package static let least = Size(columns: 60, rows: 14)
  /// From here on panels stand side by side.
  static let wide = 140

  /// Exactly `size.rows` lines, none wider than `size.columns`, painted as `style` allows.
  package static func lines(
    _ newest: LiveSnapshot, _ subject: Subject, _ view: inout LiveView, size: Size, style: Style
  ) -> [String] {
    guard size.columns >= least.columns, size.rows >= least.rows else {
      return tooSmall(size, style)
    }
    let snapshot = view.shown(newest)
    var body: [String]
    let room = size.rows - 3
    switch view.page {
    case .summary:
      body = LivePanels.body(snapshot, view, columns: size.columns, rows: room)
        .map { ScreenLine.painted(ScreenLine.cut($0, to: size.columns), style) }
    case .detail(let failure):
      var wide = style
      wide.width = size.columns
      let text = ReportText.render(
        failure.diagnosis, index: Int(clamping: failure.number), style: wide,
        clockOffsetNs: snapshot.clockOffsetNs)
      body = scrolled(text, &view, size: size, room: room)
    case .help:
      var wide = style
      wide.width = size.columns
      body = scrolled(LiveHelp.text(snapshot, style: wide), &view, size: size, room: room)
    }
    body += Array(repeating: "", count: max(0, room - body.count))
    let around = [
      title(snapshot, subject, view, columns: size.columns), status(snapshot),
      keys(view, snapshot),
    ].map { ScreenLine.painted(ScreenLine.cut($0, to: size.columns), style) }
    return [around[0]] + body.prefix(room) + around[1...]
  }

  private static func scrolled(
    _ text: String, _ view: inout LiveView, size: Size, room: Int
  ) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    view.limitScroll(lines: lines.count, room: room)
    return lines.dropFirst(view.scroll).prefix(room).map {
      ScreenLine.cutPainted(String($0), to: size.columns)
    }
  }

  private static func tooSmall(_ size: Size, _ style: Style) -> [String] {
    guard size.rows > 0, size.columns > 0 else { return [] }
    let text =
      "The window is too small: mrtrace live needs \(least.columns)x\(least.rows). q quits."
    let lines = TextBlock.fill([Span(text)], first: size.columns, rest: size.columns)
      .prefix(size.rows).map {
        ScreenLine.painted(ScreenLine.cut($0, to: size.columns), style)
      }
    return lines + Array(repeating: "", count: size.rows - lines.count)
  }

  private static func title(
    _ snapshot: LiveSnapshot, _ subject: Subject, _ view: LiveView, columns: Int
  ) -> [Span] {
    var left: [Span] = [
      Span("mrtrace", .heading), Span("  \(LiveText.elapsed(snapshot.elapsedNs))  "),
      Span("\(snapshot.operations) operations, "),
      Span("\(snapshot.failed) failed", snapshot.failed > snapshot.mended ? .bad : nil),
    ]
    if snapshot.mended > 0 { left.append(Span(" (\(snapshot.mended) mended)")) }
    if view.isPaused { left.append(Span("  PAUSED", .warning)) }
    let right = "\(subject.what)  \(subject.kernel)"
    let used = left.reduce(0) { $0 + $1.cells }
    let room = columns - used - 2
    guard room >= 10 else { return left }
    let span = ScreenLine.cut(Span(right, .dim), to: room)
    return left + [Span(String(repeating: " ", count: columns - used - span.cells)), span]
  }

  /// What is missing comes first: it says how far the rest can be trusted.
  private static func status(_ snapshot: LiveSnapshot) -> [Span] {
    var spans: [Span] = []
    if let loss = LiveText.loss(snapshot) {
      spans.append(Span(loss, .bad))
    } else {
      spans.append(Span("nothing lost", .good))
    }
    if !snapshot.blindness.isEmpty {
      spans.append(
        Span(
          "; NOT SEEN \(snapshot.blindness.count): \(snapshot.blindness.joined(separator: " "))",
          .bad))
    }
    if !snapshot.isAttached {
      spans.append(Span(", as far as the recording tells"))
    } else if snapshot.gaps.isEmpty {
      spans.append(Span("; all hooks attached"))
    } else {
      spans.append(
        Span(
          "; NOT HOOKED \(snapshot.gaps.count): \(snapshot.gaps.joined(separator: "; "))", .warning)
      )
    }
    return spans
  }

  private static func keys(_ view: LiveView, _ snapshot: LiveSnapshot) -> [Span] {
    let text: String
    switch view.page {
    case .summary:
      text =
        "q quit  p \(view.isPaused ? "go on" : "pause")  s by \(view.order.words)  "
        + "t \(view.table.rawValue)  \u{2191}\u{2193} select  Enter detail  ? help"
    case .detail, .help: text = "Esc back  \u{2191}\u{2193} scroll  Q quit"
    }
    return [Span(text, .accent)]
  }
}

extension RankOrder {
  var words: String {
    switch self {
    case .failures: "failures"
    case .faultTime: "fault time"
    }
  }
}
