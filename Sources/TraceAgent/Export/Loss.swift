// SPDX-License-Identifier: Apache-2.0

/// One thing that the recording does not tell.
struct Loss {
  /// One of ``kinds``.
  var what: String
  /// The hook's, where it is known.
  var function: String?
  var count: UInt64?
  var sentence: String?

  static let kinds = [
    "ring_full", "shed", "not_received", "not_written", "missed", "missed_returns",
    "missed_entries", "missed_evidence",
    "unstarted", "untracked", "running", "unbalanced", "discarded", "unfinished_operations",
    "problem",
  ]
}

extension ExportTotals {
  /// Empty where ``isComplete``.
  var missing: [Loss] {
    var missing: [Loss] = []
    for hook in hooks {
      for (what, count) in hook.losses {
        missing.append(Loss(what: what, function: hook.function, count: count))
      }
      if !hook.isBalanced { missing.append(Loss(what: "unbalanced", function: hook.function)) }
    }
    if discarded > 0 { missing.append(Loss(what: "discarded", count: discarded)) }
    if unfinishedOperations > 0 {
      missing.append(
        Loss(what: "unfinished_operations", count: UInt64(unfinishedOperations)))
    }
    return missing + problems.map { Loss(what: "problem", sentence: $0) }
  }
}
