// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// The last word of a recording on each hook: its ACCOUNT record, or its COUNTER record where it is
/// older than those; and when runs were missed.
package struct RecordedAccounts: Sendable {
  private var accounts: [UInt32: mrt_account] = [:]
  private var counters: [UInt32: mrt_counter] = [:]
  private var shed: [UInt32: mrt_shed] = [:]
  private var misses: [Miss] = []
  /// Of misses that are not kept one by one: by hook, the end of the last one.
  private var folded: [UInt32: UInt64] = [:]

  /// A time in which runs of a hook were missed.
  private struct Miss: Sendable {
    var hook: UInt32
    var from: UInt64
    var to: UInt64
  }

  /// A recording of a day with a loss each second has fewer for each hook.
  private static let missLimit = 1 << 18

  package init() {}

  package mutating func add(_ record: borrowing RecordView) {
    if let account = record.account {
      add(.account(account))
    } else if let counter = record.counter {
      add(.counter(counter))
    } else if let shed = record.shed {
      add(.shed(shed))
    }
  }

  package mutating func add(_ event: Event) {
    switch event {
    case .account(let record):
      note(accounts[record.h.hook], record)
      accounts[record.h.hook] = record
    case .shed(let record):
      if record.missed > shed[record.h.hook]?.missed ?? 0 {
        misses.append(Miss(hook: record.h.hook, from: record.since_ns, to: record.h.time_ns))
      }
      shed[record.h.hook] = record
    // the closing record is of no hook
    case .counter(let record) where record.h.hook != MRT_HOOK_NONE.rawValue:
      counters[record.h.hook] = record
    default: break
    }
  }

  /// Functions of which runs may have been missed while `operation` ran.
  package func missed(during operation: Operation, _ names: HookNames) -> Set<FunctionName> {
    var missed: Set<FunctionName> = []
    let end = operation.endNs
    let start = operation.startNs ?? end
    for miss in misses where miss.from <= end && start <= miss.to {
      missed.insert(names[miss.hook])
    }
    for (hook, to) in folded where start <= to { missed.insert(names[hook]) }
    // older recordings tell no time
    for (hook, counter) in counters where accounts[hook] == nil && counter.missed > 0 {
      missed.insert(names[hook])
    }
    return missed
  }

  /// Keeps memory within bounds in a run without end: of misses that ended before `ns`, each hook's are
  /// one time from then on, which reaches back to the start. Nothing becomes proved by that.
  package mutating func fold(endedBefore ns: UInt64) {
    misses.removeAll { miss in
      guard miss.to < ns else { return false }
      folded[miss.hook] = max(folded[miss.hook] ?? 0, miss.to)
      return true
    }
  }

  private mutating func note(_ before: mrt_account?, _ now: mrt_account) {
    if misses.count >= Self.missLimit { fold(endedBefore: .max) }
    let hook = now.h.hook
    if now.missed > before?.missed ?? 0 || now.missed_entries > before?.missed_entries ?? 0 {
      misses.append(Miss(hook: hook, from: now.since_ns, to: now.h.time_ns))
    }
    // that a return never came shows at the next call only, whenever that is
    if now.missed_returns > 0 || now.running > 0 {
      misses.removeAll { $0.hook == hook && $0.from == 0 }
      misses.append(Miss(hook: hook, from: 0, to: now.h.time_ns))
    }
  }

  /// In order of the hooks' numbers.
  package func hooks(_ names: HookNames) -> [HookAccount] {
    Set(accounts.keys).union(counters.keys).sorted().compactMap { hook in
      if let record = accounts[hook] {
        var account = HookAccount(record, function: names[hook])
        account.shed = shed[hook]?.shed ?? 0
        account.missedEvidence = shed[hook]?.missed ?? 0
        return account
      }
      return counters[hook].map { HookAccount($0, function: names[hook]) }
    }
  }
}

extension HookAccount {
  package init(_ record: mrt_account, function: FunctionName) {
    self.init(function: function, rung: Self.rung(record.rung))
    hook = record.h.hook
    calls = record.calls
    reported = record.reported
    cut = record.cut
    aggregated = record.aggregated
    filtered = record.filtered
    unstarted = record.unstarted
    missed = record.missed
    missedReturns = record.missed_returns
    missedEntries = record.missed_entries
    running = record.running
    failed = record.failed
    untracked = record.untracked
    recorded = record.recorded
    lost = record.lost
    received = record.received
    written = record.written
  }

  package init(_ record: mrt_counter, function: FunctionName) {
    self.init(function: function, rung: Self.rung(record.rung), isFull: false)
    hook = record.h.hook
    calls = Self.sum([record.counts.seen, record.missed])
    filtered = record.counts.filtered
    missed = record.missed
    failed = record.counts.failed
    untracked = record.counts.untracked
    recorded = record.counts.recorded
    lost = record.counts.lost
  }

  private static func rung(_ rung: UInt32) -> String {
    switch mrt_rung(rawValue: rung) {
    case MRT_RUNG_FEXIT: "fexit"
    case MRT_RUNG_KPROBE: "kprobe"
    case MRT_RUNG_TRACEPOINT: "tracepoint"
    default: "none"
    }
  }
}
