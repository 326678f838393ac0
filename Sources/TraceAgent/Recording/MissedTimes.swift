// SPDX-License-Identifier: Apache-2.0

/// When runs of hooks were missed, by hook. Bounded: what is old can be folded into one time that reaches back to the
/// start, by which nothing becomes proved.
struct MissedTimes: Sendable {
  /// A time in which some were missed, and the total at its end.
  struct Miss: Sendable {
    var from: UInt64
    var to: UInt64
    var total: UInt64
  }

  /// A recording of a day with a loss each second has fewer for each hook.
  private static let limit = 1 << 18

  /// In order of their ends.
  private var times: [UInt32: [Miss]] = [:]
  private var count = 0
  /// Those that are not kept one by one, or that may be of any time before: the last one.
  private var folded: [UInt32: Miss] = [:]

  var isEmpty: Bool { times.isEmpty && folded.isEmpty }

  /// Hooks of which runs may have been missed in [start, end].
  func hooks(from start: UInt64, to end: UInt64) -> [UInt32] {
    var hooks: [UInt32] = []
    for (hook, misses) in times {
      // they follow one another
      let first = Self.place(of: start, in: misses)
      if first < misses.count, misses[first].from <= end { hooks.append(hook) }
    }
    for (hook, last) in folded where start <= last.to { hooks.append(hook) }
    return hooks
  }

  /// Takes in the total of a hook, in any order; `isOpen`: the runs may be of any time before.
  mutating func note(_ hook: UInt32, _ miss: Miss, isOpen: Bool = false) {
    if count >= Self.limit { fold(endedBefore: .max) }
    let next = miss.to == .max ? .max : miss.to + 1
    if isOpen {
      fold(hook, endedBefore: next)
      if folded[hook].map({ $0.to < miss.to }) ?? true { folded[hook] = miss }
      return
    }
    var misses = times.removeValue(forKey: hook) ?? []
    let place = Self.place(of: next, in: misses)
    let before = place > 0 ? misses[place - 1] : folded[hook]
    if miss.total > before?.total ?? 0 {
      misses.insert(miss, at: place)
      count += 1
      // In the order of their beginnings too, as the agent looks.
      var earlier = place - 1
      while earlier >= 0, misses[earlier].from > miss.from {
        misses[earlier].from = miss.from
        earlier -= 1
      }
    }
    if !misses.isEmpty { times[hook] = misses }
  }

  /// Misses that ended before `ns` are one time from then on.
  mutating func fold(endedBefore ns: UInt64) {
    for hook in times.keys { fold(hook, endedBefore: ns) }
  }

  private mutating func fold(_ hook: UInt32, endedBefore ns: UInt64) {
    guard let misses = times[hook] else { return }
    let kept = Self.place(of: ns, in: misses)
    guard kept > 0 else { return }
    if folded[hook].map({ $0.to < misses[kept - 1].to }) ?? true { folded[hook] = misses[kept - 1] }
    count -= kept
    times[hook] = kept == misses.count ? nil : Array(misses[kept...])
  }

  /// The first that did not end before `ns`.
  private static func place(of ns: UInt64, in misses: [Miss]) -> Int {
    var low = 0
    var high = misses.count
    while low < high {
      let middle = (low + high) / 2
      if misses[middle].to < ns { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
