// SPDX-License-Identifier: Apache-2.0

import Terminal

/// The page behind "?".
enum LiveHelp {
  private static let keys: [(String, String)] = [
    ("q", "quit (Ctrl-C too)"),
    ("p, space", "pause: the screen stays, counting goes on; again: go on"),
    ("s", "sort the tables by failures or by fault time"),
    ("t, Tab", "the next table: processes, memory regions, files, page-table flags"),
    ("up, down, k, j", "select a failure, or scroll"),
    ("Enter", "all that is known of the selected failure, as report shows it"),
    ("Esc", "back"),
    ("?, h", "this page"),
  ]

  private static let words = [
    "Rates are of the last interval; totals, p50 and p99 of all since the start. Latencies are told "
      + "from logarithmic buckets: never too small, at most 12.5 % too large.",
    "Fault time is the time spent in page faults, prefetches and advice. A file is known where one "
      + "of its pages failed: its time is that of its failures.",
    "Pages are what HMM walked. \"~\": walks that succeed are sampled after the first ones. "
      + "\"decided\": failed operations that stopped at such a page.",
    "A failed registration is explained when its thread has done the next thing, or a second later: "
      + "what the program mends itself (\"mended\") is no problem.",
  ]

  static func text(_ snapshot: LiveSnapshot, style: Style) -> String {
    var block = TextBlock(style: style)
    block.line([Span("Keys", .heading)])
    var table = TextTable([.init("key"), .init("does")], hasHeader: false)
    for (key, what) in keys { table.add([Span(key, .accent), Span(what)]) }
    block.table(table, indent: 2)
    block.blank()
    block.line([Span("Numbers", .heading)])
    for text in words { block.prose(text, indent: 2) }
    block.blank()
    if !snapshot.losses.isEmpty {
      block.line([Span("Lost", .heading)])
      for loss in snapshot.losses {
        block.prose([Span("\(loss.function): \(loss.what) \(loss.count)", .bad)], indent: 2)
      }
      block.blank()
    }
    if !snapshot.blindness.isEmpty {
      block.line([Span("Not seen", .heading)])
      for text in snapshot.blindness { block.prose([Span(text, .bad)], indent: 2, hang: 4) }
      block.blank()
    }
    if !snapshot.gaps.isEmpty {
      block.line([Span("Could not be hooked", .heading)])
      for gap in snapshot.gaps { block.prose([Span(gap, .warning)], indent: 2, hang: 4) }
    }
    return block.text
  }
}
