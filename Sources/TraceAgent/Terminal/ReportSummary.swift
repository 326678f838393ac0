// SPDX-License-Identifier: Apache-2.0

import Model

/// What stands at the end of a report: totals by cause, and what was lost on the way.
package struct ReportSummary: Equatable, Sendable {
  /// How many operations of one kind were seen, whatever their result.
  package struct Seen: Equatable, Sendable {
    package var kind: Operation.Kind
    package var count: UInt64
    package init(kind: Operation.Kind, count: UInt64) {
      self.kind = kind
      self.count = count
    }
  }

  /// Empty when not known.
  package var seen: [Seen]
  package var loss: LossSummary
  /// Flags of the pages that HMM walked, against the outcome; empty when not known.
  package var pages: [PageCount]
  /// So many successful walks of each CPU were looked at, and one in so many after them.
  package var pageSample: UInt64
  /// What could be seen; nil: not known.
  package var sight: Sight?

  package init(
    seen: [Seen] = [], loss: LossSummary = LossSummary(), pages: [PageCount] = [],
    pageSample: UInt64 = 64
  ) {
    self.seen = seen
    self.loss = loss
    self.pages = pages
    self.pageSample = pageSample
  }

  package var isComplete: Bool { loss.isComplete }

  /// What is missing, a sentence each; empty where nothing is.
  package var losses: [String] { loss.sentences }
}

extension ReportText {
  /// The end of a report; ends with a newline.
  package static func summaryTable(
    _ failures: FailureTotals, _ summary: ReportSummary, style: Style
  ) -> String {
    var block = TextBlock(style: style)
    totals(failures, summary, into: &block)
    LossText.append(summary.loss, to: &block)
    return block.text
  }

  static func totals(
    _ failures: FailureTotals, _ summary: ReportSummary, into block: inout TextBlock
  ) {
    let (failed, mended) = (failures.failed, failures.mended)
    if failures.count == 0 {
      block.prose([Span(noFailure(summary), summary.isComplete ? .good : .warning)])
    } else {
      var text =
        failed == 0 ? none(summary) : Quantity.count(failed, "failed operation")
      if mended > 0 { text += ", \(mended) mended by the program itself" }
      if !summary.seen.isEmpty { text += ", of \(operations(summary.seen))" }
      block.prose([
        Span(text, failed > 0 ? .heading : summary.isComplete ? .good : .warning)
      ])
      block.table(causes(failures), indent: 2)
    }
    PageFlagsText.append(failures, summary, to: &block)
  }

  /// Said as a fact only where one would have been seen.
  private static func none(_ summary: ReportSummary) -> String {
    if let sight = summary.sight {
      if sight.seesNothing {
        return "nothing was watched: whether an operation failed is not known"
      }
      if !sight.blindness.isEmpty {
        return "no failed operation recorded, and not all would have been seen"
      }
    }
    return summary.isComplete ? "no failed operation" : "no failed operation recorded"
  }

  private static func noFailure(_ summary: ReportSummary) -> String {
    var text = none(summary)
    if summary.isComplete, summary.sight?.waits == true {
      text += ": the RDMA core (ib_uverbs) was not loaded when it ended"
    }
    return summary.seen.isEmpty ? text : "\(text): \(operations(summary.seen)) seen"
  }

  /// "12 operations (10 reg_mr, 2 advise_mr)"
  private static func operations(_ seen: [ReportSummary.Seen]) -> String {
    // Counts come from a recording: no sum may trap.
    let total = seen.reduce(UInt64(0)) { $0.addingSaturating($1.count) }
    let text = total == 1 ? "1 operation" : "\(total) operations"
    let kinds = seen.filter { $0.count > 0 }.map { "\($0.count) \($0.kind.rawValue)" }
    return kinds.isEmpty ? text : "\(text) (\(kinds.joined(separator: ", ")))"
  }

  /// One row a cause, the most frequent first, equals in order of their first failure.
  private static func causes(_ failures: FailureTotals) -> TextTable {
    var order: [String] = []
    var groups: [String: [FailureTotals.Row]] = [:]
    for row in failures.rows {
      if groups[row.key.cause] == nil { order.append(row.key.cause) }
      groups[row.key.cause, default: []].append(row)
    }
    let totals = groups.mapValues { $0.reduce(0) { $0 + $1.count } }
    var table = TextTable([
      .init("cause"), .init("count", .right), .init("mended", .right), .init("confidence"),
      .init("errno"), .init("operation"),
    ])
    let sorted = order.enumerated().sorted { one, other in
      let counts = (totals[one.element] ?? 0, totals[other.element] ?? 0)
      return counts.0 != counts.1 ? counts.0 > counts.1 : one.offset < other.offset
    }
    for (_, cause) in sorted {
      let group = groups[cause] ?? []
      let mended = group.reduce(0) { $0 + $1.mended }
      table.add([
        Span(cause, cause == Diagnosis.unknown ? .warning : nil), Span("\(totals[cause] ?? 0)"),
        Span(mended > 0 ? "\(mended)" : ""), Span(distinct(group.map(\.key.confidence.rawValue))),
        Span(distinct(group.map(\.key.errno.description))),
        Span(distinct(group.map(\.key.kind.rawValue))),
      ])
    }
    return table
  }

  private static func distinct(_ values: [String]) -> String {
    var seen: [String] = []
    for value in values where !seen.contains(value) { seen.append(value) }
    return seen.joined(separator: ", ")
  }
}

extension UInt64 {
  func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
