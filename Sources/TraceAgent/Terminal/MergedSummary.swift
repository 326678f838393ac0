// SPDX-License-Identifier: Apache-2.0

import Model

/// One of several recordings that are reported together.
package struct MergedPart: Sendable {
  package var recording: String
  package var host: String
  package var kernel: String
  package var failures: FailureTotals
  package var summary: ReportSummary

  package init(
    recording: String, host: String, kernel: String, failures: FailureTotals,
    summary: ReportSummary
  ) {
    self.recording = recording
    self.host = host
    self.kernel = kernel
    self.failures = failures
    self.summary = summary
  }
}

extension ReportText {
  /// The end of a report of several recordings: totals over all, then of each, and what each lost.
  package static func mergedSummary(_ parts: [MergedPart], style: Style) -> String {
    var block = TextBlock(style: style)
    var failures = FailureTotals()
    for part in parts { failures.add(part.failures) }
    totals(failures, .sum(parts.map(\.summary)), into: &block)
    block.blank()
    block.line([Span("The recordings:", .heading)])
    block.table(table(parts), indent: 2)
    if Set(parts.map(\.host)).count > 1 {
      block.prose([
        Span(
          "Times are of each host's own clock: between hosts the order is as good as their clocks "
            + "agree.", .dim)
      ])
    }
    for part in parts where !part.summary.isComplete {
      block.blank()
      block.prose([Span("\(part.recording) (\(part.host)):", .heading)])
      LossText.append(part.summary.loss, to: &block)
    }
    return block.text
  }

  private static func table(_ parts: [MergedPart]) -> TextTable {
    var table = TextTable([
      .init("host"), .init("kernel"), .init("operations", .right), .init("failed", .right),
      .init("mended", .right), .init("complete"), .init("recording"),
    ])
    for part in parts {
      let operations = part.summary.seen.reduce(UInt64(0)) { $0.addingSaturating($1.count) }
      let (failed, mended) = (part.failures.failed, part.failures.mended)
      table.add([
        .word(part.host), .word(part.kernel), Span("\(operations)"),
        Span("\(failed)", failed > 0 ? .bad : nil), Span(mended > 0 ? "\(mended)" : ""),
        part.summary.isComplete ? Span("yes") : Span("no", .warning),
        .word(part.recording),
      ])
    }
    return table
  }
}

extension ReportSummary {
  /// Of several recordings, as one.
  static func sum(_ summaries: [ReportSummary]) -> ReportSummary {
    var seen: [Operation.Kind: UInt64] = [:]
    for summary in summaries {
      for one in summary.seen {
        seen[one.kind] = (seen[one.kind] ?? 0).addingSaturating(one.count)
      }
    }
    return ReportSummary(
      seen: Operation.Kind.allCases.compactMap { kind in
        seen[kind].map { Seen(kind: kind, count: $0) }
      },
      loss: .sum(summaries.map(\.loss)),
      pages: summaries.flatMap(\.pages), pageSample: summaries.map(\.pageSample).max() ?? 0)
  }
}
