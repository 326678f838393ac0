// SPDX-License-Identifier: Apache-2.0

import Model

/// Flags against outcomes: what the entries of walked pages said, and how their walks ended.
package enum PageFlagsText {
  /// Entries that HMM's rules do not tell apart.
  package struct Row: Equatable, Sendable {
    /// Flags that a rule may ask for, "PRESENT" where there is none of them, "no entry" for none.
    package var flags: [String]
    /// 4 KiB pages.
    package var accepted: UInt64 = 0
    package var inFailedWalks: UInt64 = 0
    /// Failed operations that stopped at such a page.
    package var decided: UInt64 = 0

    /// "SPECIAL|DEVMAP"; nil where the entry is an ordinary or an empty one.
    var telling: String? {
      let rest = flags.filter {
        !["RW", "WRITE", "PRESENT", "no entry", PageFlagsText.huge].contains($0)
      }
      return rest.isEmpty ? nil : rest.joined(separator: "|")
    }
  }

  static let huge = "2 MiB"

  /// What the processor keeps, and what no rule asks for.
  private static let silent: Set<String> = [
    "PRESENT", "VALID", "PAGE", "USER", "PWT", "PCD", "ACCESSED", "AF", "DIRTY", "PAT", "GLOBAL",
    "NG", "SOFT_DIRTY", "SAVED_DIRTY", "NX", "PXN", "UXN", "PSE", "RDONLY", "CONT", "GP",
  ]

  static func key(_ flags: [String], isHuge: Bool) -> [String] {
    if flags.isEmpty { return ["no entry"] }
    var key = flags.filter { !silent.contains($0) }
    if key.isEmpty { key = ["PRESENT"] }
    return isHuge ? [huge] + key : key
  }

  /// The row in which the page that failed `diagnosis` counts; nil where no entry was read for it.
  package static func key(of diagnosis: Diagnosis) -> [String]? {
    guard let page = diagnosis.page, page.raw != nil else { return nil }
    return key(page.flags, isHuge: page.level == "pmd" && page.flags.contains("PSE"))
  }

  /// The rows that decided failures first, then by pages. `decided`: failed operations by the key
  /// of their page.
  package static func rows(decided: [[String]: UInt64], _ pages: [PageCount]) -> [Row] {
    var rows: [[String]: Row] = [:]
    for count in pages {
      let key = key(
        count.entry.flags, isHuge: count.entry.level == .pmd && count.entry.isPresentLeaf)
      // Counts come from a recording: no sum may trap.
      switch count.outcome {
      case .accepted:
        rows[key, default: Row(flags: key)].accepted =
          (rows[key]?.accepted ?? 0).addingSaturating(count.total)
      case .inFailedWalk:
        rows[key, default: Row(flags: key)].inFailedWalks =
          (rows[key]?.inFailedWalks ?? 0).addingSaturating(count.total)
      }
    }
    for (key, count) in decided { rows[key, default: Row(flags: key)].decided = count }
    return rows.values.sorted { one, other in
      if one.decided != other.decided { return one.decided > other.decided }
      let pages = (
        one.accepted.addingSaturating(one.inFailedWalks),
        other.accepted.addingSaturating(other.inFailedWalks)
      )
      if pages.0 != pages.1 { return pages.0 > pages.1 }
      return one.flags.lexicographicallyPrecedes(other.flags)
    }
  }

  static func append(
    _ totals: FailureTotals, _ summary: ReportSummary, to block: inout TextBlock
  ) {
    guard !summary.pages.isEmpty else { return }
    let rows = rows(decided: totals.decided, summary.pages)
    let isSampled = isSampled(summary)
    block.blank()
    block.line([Span("Page-table flags of the pages that HMM walked:", .heading)])
    var table = TextTable([
      .init("flags"), .init("pages accepted", .right), .init("in failed walks", .right),
      .init("decided a failure", .right),
    ])
    for row in rows {
      let about = isSampled && row.accepted > 0 ? "about " : ""
      table.add([
        Span(row.flags.joined(separator: " ")), Span("\(about)\(row.accepted)"),
        Span("\(row.inFailedWalks)"), Span("\(row.decided)", row.decided > 0 ? .bad : nil),
      ])
    }
    block.table(table, indent: 2)
    for row in rows { sentence(row, isSampled: isSampled, into: &block) }
    if isSampled {
      block.prose([
        Span(
          "Pages of successful walks are sampled: one walk in \(summary.pageSample) after the first "
            + "ones; those of failed walks are all counted.", .dim)
      ])
    }
  }

  private static func sentence(_ row: Row, isSampled: Bool, into block: inout TextBlock) {
    guard row.decided > 0, let flags = row.telling else { return }
    let failed = row.decided == 1 ? "1 operation" : "\(row.decided) operations"
    let accepted: String
    switch (row.accepted, isSampled) {
    case (0, false): accepted = "none was accepted"
    case (0, true): accepted = "none was seen accepted"
    case (let pages, _): accepted = "\(isSampled ? "about " : "")\(pages) were accepted"
    }
    block.prose("\(flags): \(failed) failed at such a page, \(accepted).", indent: 2, hang: 4)
  }

  /// Not every successful walk was looked at.
  static func isSampled(_ summary: ReportSummary) -> Bool {
    if summary.pages.contains(where: { $0.outcome == .accepted && $0.weight > 1 }) { return true }
    // The first walks on each CPU are all looked at: with so few in all, none is missing.
    guard let walks = summary.loss.hooks.first(where: { $0.function == "hmm_vma_walk_pmd" }) else {
      return true
    }
    return walks.calls > summary.pageSample
  }
}

extension PageCount {
  /// ``pages``, but never wrapped.
  fileprivate var total: UInt64 {
    let (product, overflow) = counted.multipliedReportingOverflow(by: weight)
    return overflow ? .max : product
  }
}
