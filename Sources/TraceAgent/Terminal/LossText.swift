// SPDX-License-Identifier: Apache-2.0

import Model

/// What is missing in a recording: nothing, or all of it by hook.
enum LossText {
  static func append(_ loss: LossSummary, to block: inout TextBlock) {
    guard !loss.isComplete else { return }
    let losing = loss.lossyHooks
    if !losing.isEmpty {
      block.blank()
      block.prose([Span("Not everything was seen: the report is incomplete.", .warning)])
      block.table(table(losing), indent: 2)
    }
    for sentence in loss.sentences { block.prose([Span(sentence, .warning)]) }
  }

  /// The classes of every call; columns without a number are left out.
  private static func table(_ hooks: [HookAccount]) -> TextTable {
    typealias Column = (name: String, isLoss: Bool, value: (HookAccount) -> UInt64)
    let all: [Column] = [
      ("calls", false, \.calls), ("reported", false, \.reported), ("cut", true, \.cut),
      ("counted", false, \.aggregated), ("filtered", false, \.filtered),
      ("unstarted", true, \.unstarted), ("missed", true, \.runsMissed),
      ("running", true, \.running), ("records", false, \.recorded),
      ("lost", true, \.recordsLost), ("untracked", true, \.untracked),
    ]
    let columns = all.filter { column in
      column.name == "calls" || hooks.contains { column.value($0) > 0 }
    }
    var table = TextTable([.init("hook")] + columns.map { .init($0.name, .right) })
    for hook in hooks {
      table.add(
        [Span(hook.function)]
          + columns.map { column in
            let value = column.value(hook)
            return Span("\(value)", column.isLoss && value > 0 ? .warning : nil)
          })
    }
    return table
  }
}
