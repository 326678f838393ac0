// SPDX-License-Identifier: Apache-2.0

import Model

extension Comparison {
  /// How many causes the first sentence names.
  private static let named = 3
  /// How many hooks a warning names.
  private static let namedHooks = 6

  /// What differs most, in one sentence: "pte-special-devmap: 12 before, 0 after."
  var finding: String {
    var counts: [String: Pair<UInt64>] = [:]
    for row in causes {
      counts[row.cause, default: Pair(before: 0, after: 0)].before += row.count.before
      counts[row.cause, default: Pair(before: 0, after: 0)].after += row.count.after
    }
    let changed = counts.filter { !$0.value.isSame }.sorted { one, other in
      one.value.difference != other.value.difference
        ? one.value.difference > other.value.difference : one.key < other.key
    }
    if changed.isEmpty {
      let total = counts.values.reduce(0) { $0 + $1.before }
      if total == 0 { return "No failure before, none after." }
      let failures = total == 1 ? "1 failure" : "\(total) failures"
      return "Every cause is as frequent as before: \(failures) each time."
    }
    var parts = changed.prefix(Self.named).map {
      "\($0.key): \($0.value.before) before, \($0.value.after) after"
    }
    let more = changed.count - parts.count
    if more > 0 { parts.append(more == 1 ? "1 more cause differs" : "\(more) more causes differ") }
    return parts.joined(separator: "; ") + "."
  }

  /// Why the two may not be comparable, a sentence each.
  var warnings: [String] {
    var warnings: [String] = []
    let (before, after) = (sides.before, sides.after)
    if before.detail != after.detail {
      warnings.append(
        "Recorded with --detail \(before.detail) before and --detail \(after.detail) after: what only "
          + "one of them records cannot be compared.")
    }
    if before.machine != after.machine {
      warnings.append("Recorded on \(before.machine) before and on \(after.machine) after.")
    }
    if !hooks.isEmpty {
      var names = hooks.prefix(Self.namedHooks).map { row in
        let onlyBefore = row.hook.before?.isAttached ?? false
        return "\(row.function) only \(onlyBefore ? "before" : "after")"
      }
      let more = hooks.count - names.count
      if more > 0 { names.append("\(more) more") }
      warnings.append(
        "Not the same functions were watched, so that evidence and causes may differ for that alone: "
          + names.joined(separator: ", ") + ".")
    }
    for (name, side) in [("before", before), ("after", after)] where !side.summary.isComplete {
      warnings.append(
        "Not everything was recorded \(name), so that differences may be due to that: "
          + side.summary.losses.joined(separator: " "))
    }
    return warnings
  }
}
