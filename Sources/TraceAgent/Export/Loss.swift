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
    "ring_full", "missed", "untracked", "discarded", "unfinished_operations", "problem",
  ]
}

extension ExportTotals {
  /// Empty where ``isComplete``.
  var missing: [Loss] {
    var missing: [Loss] = []
    for hook in losses {
      for (what, count) in [
        ("ring_full", hook.lost), ("missed", hook.missed), ("untracked", hook.untracked),
      ] where count > 0 {
        missing.append(Loss(what: what, function: hook.function, count: count))
      }
    }
    if discarded > 0 { missing.append(Loss(what: "discarded", count: discarded)) }
    if unfinishedOperations > 0 {
      missing.append(
        Loss(what: "unfinished_operations", count: UInt64(unfinishedOperations)))
    }
    return missing + problems.map { Loss(what: "problem", sentence: $0) }
  }
}
