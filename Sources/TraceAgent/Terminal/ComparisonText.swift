// SPDX-License-Identifier: Apache-2.0

import Model

/// A comparison for a person: the finding first, then what may spoil it, then the numbers.
extension Comparison {
  package func text(style: Style) -> String {
    var block = TextBlock(style: style)
    block.prose([Span(finding, .heading)])
    for warning in warnings { block.prose([Span(warning, .warning)]) }
    block.blank()
    block.table(environment, indent: 0)
    if !causes.isEmpty {
      heading("Failures by cause", into: &block)
      block.table(causeTable, indent: 2)
    }
    if !rates.isEmpty {
      heading("Operations that failed, of those seen", into: &block)
      block.table(rateTable, indent: 2)
    }
    if !flags.isEmpty {
      heading("Page-table flags of the pages that HMM walked", into: &block)
      block.table(flagsTable, indent: 2)
      for row in flags { sentence(row, into: &block) }
      if isSampled.before || isSampled.after {
        block.prose([
          Span(
            "Pages of successful walks are sampled; those of failed walks are all counted.", .dim)
        ])
      }
    }
    if !latencies.isEmpty {
      heading("How long operations took", into: &block)
      block.table(latencyTable, indent: 2)
      block.prose([Span("Percentiles are at most 0.8 % too high; max is exact.", .dim)])
    }
    if isDoubtful {
      block.blank()
      block.prose([Span("?: may be due to what was not recorded.", .warning)])
    }
    return block.text
  }

  private func heading(_ text: String, into block: inout TextBlock) {
    block.blank()
    block.line([Span("\(text):", .heading)])
  }

  private var environment: TextTable {
    var table = TextTable([.init(""), .init("before"), .init("after")])
    func row(_ name: String, _ value: (ComparisonSide) -> String) {
      table.add([Span(name, .dim), .word(value(sides.before)), .word(value(sides.after))])
    }
    row("recording") { $0.recording }
    row("host") { $0.host }
    row("kernel") { $0.kernel }
    row("build id") { $0.buildID.map { String($0.prefix(12)) } ?? "not known" }
    row("detail") { $0.detail }
    row("recorded") { Int64(exactly: $0.startWallNs).flatMap(WallClock.text) ?? "not known" }
    return table
  }

  private var causeTable: TextTable {
    var table = TextTable([
      .init("cause"), .init("errno"), .init("operation"), .init("before", .right),
      .init("after", .right), .init("mended before", .right), .init("mended after", .right),
      .init("change", .right),
    ])
    for row in causes {
      let worse = row.count.after > row.count.before
      table.add([
        Span(row.cause, row.cause == Diagnosis.unknown ? .warning : nil), Span(row.errno),
        Span(row.kind.rawValue), Span("\(row.count.before)"), Span("\(row.count.after)"),
        Span(row.mended.before > 0 ? "\(row.mended.before)" : ""),
        Span(row.mended.after > 0 ? "\(row.mended.after)" : ""),
        Span(change(row.count), row.count.isSame ? .dim : worse ? .bad : .good),
      ])
    }
    return table
  }

  /// "+3", "-12 ?", "same".
  private func change(_ count: Pair<UInt64>) -> String {
    if count.isSame { return "same" }
    let sign = count.after > count.before ? "+" : "-"
    return "\(sign)\(count.difference)\(isDoubtful ? " ?" : "")"
  }

  private var rateTable: TextTable {
    var table = TextTable([
      .init("operation"), .init("before", .right), .init("after", .right),
    ])
    for row in rates {
      table.add([
        Span(row.kind.rawValue), Span(text(row.rate.before)), Span(text(row.rate.after)),
      ])
    }
    return table
  }

  private func text(_ rate: Rate) -> String {
    guard let seen = rate.seen else { return "\(rate.failed) of ?" }
    guard let share = rate.share else { return "none seen" }
    return "\(rate.failed) of \(seen) (\(share) %)"
  }

  private var flagsTable: TextTable {
    var table = TextTable([
      .init("flags"), .init("accepted before", .right), .init("after", .right),
      .init("decided a failure before", .right), .init("after", .right),
    ])
    for row in flags {
      let (before, after) = (row.row.before, row.row.after)
      table.add([
        Span(row.flags.joined(separator: " ")), Span(accepted(before, isSampled.before)),
        Span(accepted(after, isSampled.after)),
        Span("\(before.decided)", before.decided > 0 ? .bad : nil),
        Span("\(after.decided)", after.decided > 0 ? .bad : nil),
      ])
    }
    return table
  }

  private func accepted(_ row: PageFlagsText.Row, _ isSampled: Bool) -> String {
    "\(isSampled && row.accepted > 0 ? "about " : "")\(row.accepted)"
  }

  /// What failed at such pages on one side and not on the other.
  private func sentence(_ row: FlagsRow, into block: inout TextBlock) {
    let (before, after) = (row.row.before, row.row.after)
    guard (before.decided == 0) != (after.decided == 0) else { return }
    guard let flags = row.row.before.telling else { return }
    let failing = before.decided > 0 ? ("before", before.decided) : ("after", after.decided)
    let other = before.decided > 0 ? ("after", after) : ("before", before)
    let sampled = before.decided > 0 ? isSampled.after : isSampled.before
    let operations = failing.1 == 1 ? "1 operation" : "\(failing.1) operations"
    let fate: String
    switch (other.1.accepted, sampled) {
    case (0, false): fate = "no such page was walked with success"
    case (0, true): fate = "no such page was seen accepted"
    case (let pages, _): fate = "\(sampled ? "about " : "")\(pages) such pages were accepted"
    }
    block.prose(
      "\(flags): \(operations) failed at such a page \(failing.0), none \(other.0), where \(fate)."
        + (isDoubtful ? " ?" : ""), indent: 2, hang: 4)
  }

  private var isSampled: Pair<Bool> {
    Pair(
      before: PageFlagsText.isSampled(sides.before.summary),
      after: PageFlagsText.isSampled(sides.after.summary))
  }

  private var latencyTable: TextTable {
    var table = TextTable([
      .init("operation"), .init("result"), .init(""), .init("count", .right), .init("p50", .right),
      .init("p90", .right), .init("p99", .right), .init("max", .right), .init("p50 by", .right),
      .init("p99 by", .right),
    ])
    for row in latencies {
      let (before, after) = (row.histogram.before, row.histogram.after)
      let names = [Span(row.kind.rawValue), Span(row.failed ? "failed" : "ok")]
      table.add(names + [Span("before", .dim)] + numbers(before) + ["", ""])
      table.add(
        ["", "", Span("after", .dim)] + numbers(after) + [
          Span(Self.change(before, after, permille: 500)),
          Span(Self.change(before, after, permille: 990)),
        ])
    }
    return table
  }

  private func numbers(_ histogram: Histogram) -> [Span] {
    [Span("\(histogram.count)")]
      + [500, 900, 990, 1000].map { permille in
        Span(
          histogram.value(permille: permille).map { Quantity.duration(nanoseconds: $0) } ?? "")
      }
  }

  /// "-12 %", "x3.4"; empty where one of them is not known.
  static func change(_ before: Histogram, _ after: Histogram, permille: UInt64) -> String {
    guard let one = before.value(permille: permille), let other = after.value(permille: permille),
      one > 0
    else { return "" }
    let ratio = Double(other) / Double(one)
    // As text: a ratio may be any number.
    if ratio >= 2 { return "x\(Quantity.oneDigit(ratio))" }
    let percent = Int(((ratio - 1) * 100).rounded())
    return percent > 0 ? "+\(percent) %" : "\(percent) %"
  }
}

extension Comparison.Rate {
  /// Percent that failed, one digit after the point; nil where none was seen.
  var share: String? {
    guard let seen, seen > 0 else { return nil }
    return Quantity.oneDigit(Double(failed) / Double(seen) * 100)
  }
}
