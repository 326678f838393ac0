// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// The panels of the summary, and how they share the screen.
enum LivePanels {
  private struct Panel {
    var table: ScreenTable
    /// With the header.
    var least: Int
    var wanted: Int { table.rows.count + 1 }
    init(_ table: ScreenTable, least: Int) {
      self.table = table
      self.least = min(least, table.rows.count + 1)
    }
  }

  static func body(
    _ snapshot: LiveSnapshot, _ view: LiveView, columns: Int, rows: Int
  ) -> [[Span]] {
    let operations = Panel(operations(snapshot), least: 8)
    let causes = Panel(causes(snapshot), least: 3)
    let failures = Panel(failures(snapshot, view, room: rows), least: 4)
    let order = [view.table] + LiveView.Table.allCases.filter { $0 != view.table }
    if columns >= LiveScreen.wide {
      return wide(
        top: [operations, causes], middle: failures,
        bottom: order.map { Panel(table($0, snapshot, view), least: 4) }, columns: columns,
        rows: rows)
    }
    let panels =
      [operations, causes, failures]
      + order.map { Panel(table($0, snapshot, view), least: 4) }
    return stacked(panels, columns: columns, rows: rows)
  }

  /// One below the other: those that do not fit any more are left out, then the rows that remain
  /// go to whoever has more to say.
  private static func stacked(_ all: [Panel], columns: Int, rows: Int) -> [[Span]] {
    var panels: [Panel] = []
    var heights: [Int] = []
    var room = rows
    for panel in all where panel.least <= room {
      panels.append(panel)
      heights.append(panel.least)
      room -= panel.least
    }
    heights = grown(heights, wanted: panels.map(\.wanted), room: &room)
    // A blank line between panels is the last thing to pay for.
    let blanks = min(room, panels.count - 1)
    var lines: [[Span]] = []
    for (number, panel) in panels.enumerated() {
      if number > 0, number <= blanks { lines.append([]) }
      lines += panel.table.lines(width: columns, most: heights[number])
    }
    return lines
  }

  private static func wide(
    top: [Panel], middle: Panel, bottom: [Panel], columns: Int, rows: Int
  ) -> [[Span]] {
    // Two tables beside each other; four where the window is wide enough, and the other two below
    // where it is high enough.
    let pairs =
      columns >= 2 * LiveScreen.wide
      ? [bottom] : stride(from: 0, to: bottom.count, by: 2).map { Array(bottom[$0..<$0 + 2]) }
    let shown = pairs.prefix(rows >= 32 ? 2 : 1)
    // A blank line between all of them.
    var room = rows - 1 - shown.count
    let topHeight = min(top.map(\.wanted).max() ?? 0, max(room - 8, 4))
    room -= topHeight
    var heights: [Int] = []
    for (number, pair) in shown.enumerated() {
      let share = room / (shown.count - number + 1)
      heights.append(min(pair.map(\.wanted).max() ?? 0, max(share, 2)))
      room -= heights[number]
    }
    var lines = beside(top, columns: columns, rows: topHeight)
    lines.append([])
    lines += middle.table.lines(width: columns, most: max(room, 2))
    for (pair, height) in zip(shown, heights) {
      lines.append([])
      lines += beside(pair, columns: columns, rows: height)
    }
    return lines
  }

  private static func beside(_ panels: [Panel], columns: Int, rows: Int) -> [[Span]] {
    guard !panels.isEmpty else { return [] }
    let gap = 3
    let width = (columns - gap * (panels.count - 1)) / panels.count
    let blocks = panels.map { $0.table.lines(width: width, most: rows) }
    let height = blocks.map(\.count).max() ?? 0
    return (0..<height).map { row in
      blocks.enumerated().flatMap { number, block -> [Span] in
        let line = row < block.count ? block[row] : []
        let isLast = number == blocks.count - 1
        return isLast ? line : ScreenLine.padded(line, to: width + gap)
      }
    }
  }

  /// A row at a time to each that wants one, in order, until there are none left.
  private static func grown(_ heights: [Int], wanted: [Int], room: inout Int) -> [Int] {
    var heights = heights
    var isGrowing = true
    while isGrowing, room > 0 {
      isGrowing = false
      for index in heights.indices where heights[index] < wanted[index] && room > 0 {
        heights[index] += 1
        room -= 1
        isGrowing = true
      }
    }
    return heights
  }

  // MARK: - Tables

  private static func operations(_ snapshot: LiveSnapshot) -> ScreenTable {
    var table = ScreenTable([
      .text("operation"), .number("total"), .number("/s"), .number("failed"), .number("p50"),
      .number("p99"), .number("max", dispensable: 3), .number("failed p50", dispensable: 1),
      .number("failed p99", dispensable: 2),
    ])
    func number(_ value: UInt64, _ role: Style.Role? = nil) -> Span { Span("\(value)", role) }
    for kind in snapshot.kinds {
      // Seldom used: shown when it is.
      if kind.kind.isRare, kind.operations.total == 0 { continue }
      let good = kind.succeeded
      let bad = kind.failures
      table.add([
        Span(kind.kind.rawValue), number(kind.operations.total),
        Span(LiveText.rate(kind.operations.new, intervalNs: snapshot.intervalNs)),
        number(kind.failed.total, kind.failed.total > 0 ? .bad : nil),
        Span(LiveText.duration(good?.p50Ns)), Span(LiveText.duration(good?.p99Ns)),
        Span(LiveText.duration(good?.maximumNs)), Span(LiveText.duration(bad?.p50Ns)),
        Span(LiveText.duration(bad?.p99Ns)),
      ])
    }
    if let invalidations = snapshot.invalidations {
      let durations = snapshot.invalidationDurations
      table.add([
        "invalidation", number(invalidations.total),
        Span(LiveText.rate(invalidations.new, intervalNs: snapshot.intervalNs)), "",
        Span(LiveText.duration(durations?.p50Ns)), Span(LiveText.duration(durations?.p99Ns)),
        Span(LiveText.duration(durations?.maximumNs)),
      ])
    } else {
      table.add([Span("invalidation"), Span("not watched", .dim)])
    }
    let about = snapshot.pagesAreSampled ? "~" : ""
    table.add([
      "pages walked", Span("\(about)\(snapshot.pages.total)"),
      Span(about + LiveText.rate(snapshot.pages.new, intervalNs: snapshot.intervalNs)),
      number(snapshot.pagesInFailedWalks),
    ])
    return table
  }

  private static func causes(_ snapshot: LiveSnapshot) -> ScreenTable {
    var table = ScreenTable([
      // How many there are: not all may be on the screen.
      .text("failures by cause (\(snapshot.causes.count))", flexible: true), .number("count"),
      .number("/s", dispensable: 2), .number("mended", dispensable: 3),
      .text("errno", flexible: true, dispensable: 1),
      .text("confidence", flexible: true, dispensable: 4), .number("last"),
    ])
    for row in snapshot.causes {
      table.add([
        Span(row.cause, row.mended < row.failures.total ? .bad : nil),
        Span("\(row.failures.total)"),
        Span(LiveText.rate(row.failures.new, intervalNs: snapshot.intervalNs)),
        Span("\(row.mended)"), Span(row.errnos.joined(separator: ",")),
        Span(row.confidences.joined(separator: ",")),
        Span(LiveText.ago(row.lastNs, now: snapshot.timeNs)),
      ])
    }
    if snapshot.failed > snapshot.explained {
      table.add([
        Span("(not explained yet)", .dim), Span("\(snapshot.failed - snapshot.explained)"),
      ])
    }
    if table.rows.isEmpty { table.add([Span("none", .good)]) }
    return table
  }

  private static func failures(
    _ snapshot: LiveSnapshot, _ view: LiveView, room: Int
  ) -> ScreenTable {
    var table = ScreenTable(
      [
        .text("  time"), .text("last failures", flexible: true), .text("operation"),
        .text("errno", dispensable: 1), .text("cause", flexible: true),
        .text("page, file", flexible: true),
      ], gap: 1)
    let selection = view.selection(in: snapshot)
    var newest = Array(snapshot.recent.reversed())
    // The selected one is on the screen, however small the panel may become.
    if let selection, let index = newest.firstIndex(where: { $0.number == selection.number }),
      index > 1
    {
      newest.removeFirst(index - 1)
    }
    for failure in newest.prefix(room) {
      let diagnosis = failure.diagnosis
      let isSelected = failure.number == selection?.number
      let time =
        LiveText.clock(diagnosis.operation.endNs, offset: snapshot.clockOffsetNs)
        ?? "#\(failure.number)"
      let isMended = diagnosis.operation.recoveredBy != nil
      let cause = diagnosis.cause + (isMended ? " (mended)" : "")
      table.add([
        Span((isSelected ? "> " : "  ") + time, isSelected ? .accent : nil),
        Span(LiveText.process(diagnosis.operation), isSelected ? .accent : nil),
        Span(diagnosis.operation.kind.rawValue), Span(diagnosis.errno.description),
        Span(cause, isMended ? .good : diagnosis.isUnknown ? .warning : .bad),
        Span(LiveText.place(diagnosis)),
      ])
    }
    if table.rows.isEmpty { table.add(["  none"]) }
    return table
  }

  private static func table(
    _ table: LiveView.Table, _ snapshot: LiveSnapshot, _ view: LiveView
  ) -> ScreenTable {
    switch table {
    case .processes: ranking("process", snapshot.processes, view.order)
    case .regions: ranking("memory region", snapshot.regions, view.order)
    case .files: ranking("file (of failures)", snapshot.files, view.order)
    case .flags: flags(snapshot)
    }
  }

  private static func ranking(
    _ title: String, _ ranking: LiveSnapshot.Ranking, _ order: RankOrder
  ) -> ScreenTable {
    func mark(_ title: String, _ mine: RankOrder) -> String {
      title + (mine == order ? "\u{2193}" : "")
    }
    var table = ScreenTable([
      .text("\(title)\(ranking.isExact ? "" : ", at least")", flexible: true),
      .number(mark("failed", .failures)), .number(mark("fault time", .faultTime)),
      .number("operations", dispensable: 1),
    ])
    let rows = order == .failures ? ranking.byFailures : ranking.byFaultTime
    let others = order == .failures ? ranking.othersByFailures : ranking.othersByFaultTime
    for row in rows + (others.map { [$0] } ?? []) {
      let name = row.pid.map { "\(row.name) [\($0)]" } ?? row.name
      table.add([
        Span(name), Span("\(row.failures)", row.failures > 0 ? .bad : nil),
        Span(LiveText.duration(row.faultNs)), Span("\(row.operations)"),
      ])
    }
    if table.rows.isEmpty { table.add(["none"]) }
    return table
  }

  private static func flags(_ snapshot: LiveSnapshot) -> ScreenTable {
    var table = ScreenTable([
      .text("page-table flags", flexible: true), .number("accepted"),
      .number("in failed walks"), .number("decided"),
    ])
    let about = snapshot.pagesAreSampled ? "~" : ""
    for row in snapshot.flags {
      table.add([
        Span(row.flags.joined(separator: " ")),
        Span(row.accepted > 0 ? "\(about)\(row.accepted)" : "0"), Span("\(row.inFailedWalks)"),
        Span("\(row.decided)", row.decided > 0 ? .bad : nil),
      ])
    }
    if table.rows.isEmpty { table.add(["none walked"]) }
    return table
  }
}
