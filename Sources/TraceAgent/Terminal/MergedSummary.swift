// SPDX-License-Identifier: Apache-2.0

import Model

/// One of several recordings that are reported together.
package struct MergedPart: Sendable {
  package var recording: String
  package var host: String
  package var kernel: String
  package var diagnoses: [Diagnosis]
  package var summary: ReportSummary

  package init(
    recording: String, host: String, kernel: String, diagnoses: [Diagnosis], summary: ReportSummary
  ) {
    self.recording = recording
    self.host = host
    self.kernel = kernel
    self.diagnoses = diagnoses
    self.summary = summary
  }
}

extension ReportText {
  /// The end of a report of several recordings: totals over all, then of each, and what each lost.
  package static func mergedSummary(_ parts: [MergedPart], style: Style) -> String {
    var block = TextBlock(style: style)
    totals(parts.flatMap(\.diagnoses), .sum(parts.map(\.summary)), into: &block)
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
    for part in parts where !isComplete(part.summary) {
      block.blank()
      block.prose([Span("\(part.recording) (\(part.host)):", .heading)])
      losses(part.summary, into: &block)
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
      let mended = part.diagnoses.count { $0.operation.recoveredBy != nil }
      let failed = part.diagnoses.count - mended
      table.add([
        .word(part.host), .word(part.kernel), Span("\(operations)"),
        Span("\(failed)", failed > 0 ? .bad : nil), Span(mended > 0 ? "\(mended)" : ""),
        isComplete(part.summary) ? Span("yes") : Span("no", .warning),
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
    var hooks: [String: Hook] = [:]
    var names: [String] = []
    for summary in summaries {
      for one in summary.seen {
        seen[one.kind] = (seen[one.kind] ?? 0).addingSaturating(one.count)
      }
      for hook in summary.hooks {
        guard let sum = hooks[hook.name] else {
          names.append(hook.name)
          hooks[hook.name] = hook
          continue
        }
        hooks[hook.name] = sum.adding(hook)
      }
    }
    return ReportSummary(
      seen: Operation.Kind.allCases.compactMap { kind in
        seen[kind].map { Seen(kind: kind, count: $0) }
      },
      hooks: names.compactMap { hooks[$0] }, problems: summaries.flatMap(\.problems),
      pages: summaries.flatMap(\.pages), pageSample: summaries.map(\.pageSample).max() ?? 0)
  }
}

extension ReportSummary {
  var isComplete: Bool { ReportText.isComplete(self) }

  /// What is missing, a sentence each.
  var losses: [String] {
    hooks.filter { $0.lost > 0 || $0.missed > 0 }.map {
      "\($0.name): \($0.lost) records lost, \($0.missed) runs missed."
    } + problems
  }
}

extension ReportSummary.Hook {
  fileprivate func adding(_ other: ReportSummary.Hook) -> ReportSummary.Hook {
    var sum = self
    for count in [\Self.seen, \.failed, \.recorded, \.lost, \.missed] {
      sum[keyPath: count] = sum[keyPath: count].addingSaturating(other[keyPath: count])
    }
    return sum
  }
}
