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

  /// One hook's totals (struct mrt_counter).
  package struct Hook: Equatable, Sendable {
    package var name: String
    package var seen: UInt64
    package var failed: UInt64
    package var recorded: UInt64
    /// Records that found no room.
    package var lost: UInt64
    /// Runs that the kernel skipped.
    package var missed: UInt64
    package init(
      name: String, seen: UInt64, failed: UInt64, recorded: UInt64, lost: UInt64, missed: UInt64
    ) {
      self.name = name
      self.seen = seen
      self.failed = failed
      self.recorded = recorded
      self.lost = lost
      self.missed = missed
    }
  }

  /// Empty when not known.
  package var seen: [Seen]
  package var hooks: [Hook]
  /// What else the reader must know, one sentence each: a truncated stream, operations not
  /// followed.
  package var problems: [String]
  /// Flags of the pages that HMM walked, against the outcome; empty when not known.
  package var pages: [PageCount]
  /// So many successful walks of each CPU were looked at, and one in so many after them.
  package var pageSample: UInt64

  package init(
    seen: [Seen] = [], hooks: [Hook] = [], problems: [String] = [], pages: [PageCount] = [],
    pageSample: UInt64 = 64
  ) {
    self.seen = seen
    self.hooks = hooks
    self.problems = problems
    self.pages = pages
    self.pageSample = pageSample
  }
}

extension ReportText {
  /// The end of a report; ends with a newline.
  package static func summaryTable(
    _ diagnoses: [Diagnosis], _ summary: ReportSummary, style: Style
  ) -> String {
    var block = TextBlock(style: style)
    totals(diagnoses, summary, into: &block)
    losses(summary, into: &block)
    return block.text
  }

  static func totals(
    _ diagnoses: [Diagnosis], _ summary: ReportSummary, into block: inout TextBlock
  ) {
    let mended = diagnoses.count { $0.operation.recoveredBy != nil }
    let failed = diagnoses.count - mended
    if diagnoses.isEmpty {
      block.prose([Span(noFailure(summary), isComplete(summary) ? .good : .warning)])
    } else {
      var text = failed == 0 ? "no failed operation" : Quantity.count(failed, "failed operation")
      if mended > 0 { text += ", \(mended) mended by the program itself" }
      if !summary.seen.isEmpty { text += ", of \(operations(summary.seen))" }
      block.prose([Span(text, failed == 0 ? .good : .heading)])
      block.table(causes(diagnoses), indent: 2)
    }
    PageFlagsText.append(diagnoses, summary, to: &block)
  }

  static func losses(_ summary: ReportSummary, into block: inout TextBlock) {
    loss(summary, into: &block)
    for problem in summary.problems { block.prose([Span(problem, .warning)]) }
  }

  static func isComplete(_ summary: ReportSummary) -> Bool {
    summary.problems.isEmpty && !summary.hooks.contains { $0.lost > 0 || $0.missed > 0 }
  }

  private static func noFailure(_ summary: ReportSummary) -> String {
    let text = isComplete(summary) ? "no failed operation" : "no failed operation recorded"
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
  private static func causes(_ diagnoses: [Diagnosis]) -> TextTable {
    var order: [String] = []
    var groups: [String: [Diagnosis]] = [:]
    for diagnosis in diagnoses {
      if groups[diagnosis.cause] == nil { order.append(diagnosis.cause) }
      groups[diagnosis.cause, default: []].append(diagnosis)
    }
    var table = TextTable([
      .init("cause"), .init("count", .right), .init("mended", .right), .init("confidence"),
      .init("errno"), .init("operation"),
    ])
    let sorted = order.enumerated().sorted { one, other in
      let counts = (groups[one.element]?.count ?? 0, groups[other.element]?.count ?? 0)
      return counts.0 != counts.1 ? counts.0 > counts.1 : one.offset < other.offset
    }
    for (_, cause) in sorted {
      let group = groups[cause] ?? []
      let mended = group.count { $0.operation.recoveredBy != nil }
      table.add([
        Span(cause, cause == "unknown" ? .warning : nil), Span("\(group.count)"),
        Span(mended > 0 ? "\(mended)" : ""), Span(distinct(group.map(\.confidence.rawValue))),
        Span(distinct(group.map(\.errno.description))),
        Span(distinct(group.map(\.operation.kind.rawValue))),
      ])
    }
    return table
  }

  private static func distinct(_ values: [String]) -> String {
    var seen: [String] = []
    for value in values where !seen.contains(value) { seen.append(value) }
    return seen.joined(separator: ", ")
  }

  private static func loss(_ summary: ReportSummary, into block: inout TextBlock) {
    let losing = summary.hooks.filter { $0.lost > 0 || $0.missed > 0 }
    guard !losing.isEmpty else { return }
    block.blank()
    block.prose([Span("Not everything was seen: the report is incomplete.", .warning)])
    var table = TextTable([
      .init("hook"), .init("seen", .right), .init("failed", .right), .init("recorded", .right),
      .init("lost", .right), .init("missed", .right),
    ])
    for hook in losing {
      table.add([
        Span(hook.name), Span("\(hook.seen)"), Span("\(hook.failed)"), Span("\(hook.recorded)"),
        Span("\(hook.lost)", hook.lost > 0 ? .warning : nil),
        Span("\(hook.missed)", hook.missed > 0 ? .warning : nil),
      ])
    }
    block.table(table, indent: 2)
  }
}

extension UInt64 {
  func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
