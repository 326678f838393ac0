// SPDX-License-Identifier: Apache-2.0

/// All that is missing in a recording, or in several of one run: the one place that says so in words.
package struct LossSummary: Equatable, Sendable {
  package var hooks: [HookAccount]
  /// Records that the packets of the recording tell as lost.
  package var discarded: UInt64
  /// Operations with evidence and without end.
  package var unfinishedOperations: UInt64
  /// What cannot be read, a sentence each.
  package var problems: [String]

  package init(
    hooks: [HookAccount] = [], discarded: UInt64 = 0, unfinishedOperations: UInt64 = 0,
    problems: [String] = []
  ) {
    self.hooks = hooks
    self.discarded = discarded
    self.unfinishedOperations = unfinishedOperations
    self.problems = problems
  }

  /// Of several recordings, as one: hooks of the same function together.
  package static func sum(_ summaries: [LossSummary]) -> LossSummary {
    var hooks: [HookAccount] = []
    var places: [FunctionName: Int] = [:]
    for hook in summaries.flatMap(\.hooks) {
      if let place = places[hook.function] {
        hooks[place] = hooks[place].adding(hook)
      } else {
        places[hook.function] = hooks.count
        hooks.append(hook)
      }
    }
    return LossSummary(
      hooks: hooks, discarded: HookAccount.sum(summaries.map(\.discarded)),
      unfinishedOperations: HookAccount.sum(summaries.map(\.unfinishedOperations)),
      problems: summaries.flatMap(\.problems))
  }

  /// Hooks of which something is missing.
  package var lossyHooks: [HookAccount] { hooks.filter(\.isLossy) }

  /// Nothing is missing that the recording knows of.
  package var isComplete: Bool {
    lossyHooks.isEmpty && discarded == 0 && unfinishedOperations == 0 && problems.isEmpty
  }

  /// Records lost: what the packets and what the hooks count, the larger of both.
  package var lost: UInt64 {
    max(discarded, HookAccount.sum(hooks.map(\.recordsLost)))
  }

  /// A sentence for each way to lose something.
  package var sentences: [String] {
    func total(_ count: (HookAccount) -> UInt64) -> UInt64 { HookAccount.sum(hooks.map(count)) }
    var sentences = problems
    if lost > 0 {
      let unreceived = total(\.unreceived)
      let unwritten = total(\.unwritten)
      var text = "\(lost) records found no room and are lost"
      if unreceived > 0 { text += ", \(unreceived) of them on their way to the agent" }
      if unwritten > 0 { text += ", \(unwritten) of them for not being valid" }
      let cut = total(\.cut)
      if cut > 0 { text += "; they are of \(cut) calls" }
      sentences.append(text + ".")
    }
    let missed = total(\.runsMissed)
    if missed > 0 {
      sentences.append(
        "\(missed) runs of hooks were missed: the kernel skipped them, or a return never came.")
    }
    let unstarted = total(\.unstarted)
    if unstarted > 0 {
      sentences.append("\(unstarted) calls returned whose beginning was not seen.")
    }
    let running = total(\.running)
    if running > 0 {
      sentences.append(
        "\(running) calls had not returned at the end, or their return was missed: a kretprobe does not "
          + "tell.")
    }
    let untracked = total(\.untracked)
    if untracked > 0 {
      sentences.append(
        "\(untracked) times the kernel side had no room to follow an operation or to count a page's "
          + "flags.")
    }
    if unfinishedOperations > 0 {
      sentences.append(
        "\(unfinishedOperations) operations have evidence but no end in the recording.")
    }
    for hook in hooks where !hook.isBalanced {
      sentences.append("The counts of \(hook.function) do not add up: do not trust them.")
    }
    return sentences
  }
}
