// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model

/// The table of causes for a person: one page, the list, the causes of an errno.
package enum CauseText {
  /// The page on `cause`; ends with a newline.
  package static func page(_ cause: Cause, style: Style) -> String {
    var block = TextBlock(style: style)
    block.prose([Span("\(cause.name):", .heading), Span(cause.brief)], hang: 2)
    block.blank()
    block.field("errno", indent: 0, [Span.commas(cause.errnos.map { [.word($0.description)] })])
    block.field("seen in", indent: 0, [Span.commas(cause.stages().map { [Span($0.rawValue)] })])
    block.field("check", indent: 0, [[Span(cause.check)]])
    block.blank()
    block.line([Span("The kernel's checks, and what is looked at to tell each:", .heading)])
    for site in cause.siteRows {
      var first = [Span.word(site.id, .accent), Span(site.check)]
      if !site.kernels.isEmpty { first.append(Span("(\(site.kernels))", .dim)) }
      block.prose(first, indent: 2, hang: 6)
      block.prose([Span("evidence:", .dim), Span(site.evidence)], indent: 6)
    }
    block.blank()
    block.line([Span("What to do:", .heading)])
    for advice in cause.advice { block.prose("- \(advice)", indent: 2, hang: 4) }
    if !cause.references.isEmpty {
      block.blank()
      block.field("see", indent: 0, cause.references.map { [Span($0)] })
    }
    return block.text
  }

  /// All causes, one line each.
  package static func list(_ causes: [Cause], style: Style) -> String {
    var block = TextBlock(style: style)
    var table = TextTable([.init("cause"), .init("errno"), .init("in one line")])
    for cause in causes {
      table.add([
        Span(cause.name, .accent), Span(list(cause.errnos, " ")), Span(cause.brief),
      ])
    }
    table.add([Span(Diagnosis.unknown, .accent), "any", Span(unknownBrief)])
    block.table(table, indent: 0)
    return block.text
  }

  /// The causes that can give `errno`, and in which operation.
  package static func errno(_ errno: Errno, _ causes: [Cause], style: Style) -> String {
    var block = TextBlock(style: style)
    let matching = causes.filter { $0.errnos.contains(errno) }
    guard !matching.isEmpty else {
      block.prose(
        "\(errno) (\(errno.rawValue)): no cause in the table gives it. Where an operation fails with it, "
          + "mrtrace shows all the evidence under \"unknown\".")
      return block.text
    }
    block.prose([
      Span("\(errno) (\(errno.rawValue))", .heading),
      Span("comes from \(Quantity.count(matching.count, "cause")):"),
    ])
    var table = TextTable(
      [.init("cause")] + Site.Stage.allCases.map { .init($0.rawValue) } + [.init("in one line")])
    for cause in matching {
      let stages = cause.stages(errno: errno)
      table.add(
        [Span(cause.name, .accent)]
          + Site.Stage.allCases.map { Span(stages.contains($0) ? "yes" : "") }
          + [Span(cause.brief)])
    }
    block.table(table, indent: 2)
    block.blank()
    block.prose(
      "The errno alone never tells which: \"mrtrace record\" does. " + atRegistration)
    return block.text
  }

  /// The names of `errnos`.
  static func list(_ errnos: [Errno], _ separator: String) -> String {
    errnos.map(\.description).joined(separator: separator)
  }

  static let atRegistration =
    "A driver that maps an on-demand MR at once has the checks of a prefetch in its registration."
  static let unknownBrief = "none of the causes is proved: all evidence is shown"

  package static func unknown(style: Style) -> String {
    var block = TextBlock(style: style)
    block.prose([Span("unknown:", .heading), Span(unknownBrief)])
    block.blank()
    block.prose(
      "No rule found its evidence, or records of the operation were lost. There is no guess from an "
        + "errno alone. The report shows everything that was recorded; if it says what happened, the "
        + "table lacks a row: docs/adding-a-cause.md.")
    return block.text
  }
}
