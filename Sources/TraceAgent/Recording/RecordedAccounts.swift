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
  /// When runs were missed of the programs that begin an operation, and of those that end one and count calls.
  private var entries = MissedTimes()
  private var returns = MissedTimes()
  /// When runs of the programs that take evidence, apart from those, were.
  private var evidence = MissedTimes()

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
      note(record)
      // the last word is the latest one, wherever it stands
      if accounts[record.h.hook].map({ $0.h.time_ns <= record.h.time_ns }) ?? true {
        accounts[record.h.hook] = record
      }
    case .shed(let record):
      evidence.note(
        record.h.hook,
        .init(from: record.since_ns, to: record.h.time_ns, total: record.missed))
      if shed[record.h.hook].map({ $0.h.time_ns <= record.h.time_ns }) ?? true {
        shed[record.h.hook] = record
      }
    // the closing record is of no hook
    case .counter(let record) where record.h.hook != MRT_HOOK_NONE.rawValue:
      counters[record.h.hook] = record
    default: break
    }
  }

  /// Functions of which runs may have been missed while `operation` ran, or the one whose evidence it has.
  package func missed(during operation: Operation, _ names: HookNames) -> MissedRuns {
    let (start, end) = Self.time(of: operation)
    return missed(from: start, to: end, names)
  }

  /// Functions of which calls may have been missed before or while `operation` ran, so that it may be taken for
  /// another kind than it is. What runs inside a verb begins soon after it; a worker's prefetch that is not seen to
  /// end lasts until the worker is seen to do something else.
  package func missed(before operation: Operation, _ names: HookNames) -> Set<FunctionName> {
    guard !entries.isEmpty || !returns.isEmpty || !counters.isEmpty else { return [] }
    let (start, end) = Self.time(of: operation)
    let from = operation.kind == .prefetch || start < Self.verbNs ? 0 : start - Self.verbNs
    return missed(from: from, to: end, names).calls
  }

  /// Longer than it takes from a verb's beginning to its memory, preempted or not.
  private static let verbNs: UInt64 = 1_000_000_000

  private static func time(of operation: Operation) -> (start: UInt64, end: UInt64) {
    let start = operation.startNs ?? operation.endNs
    return (min(start, operation.lentFrom?.lowerBound ?? start), operation.endNs)
  }

  private func missed(from start: UInt64, to end: UInt64, _ names: HookNames) -> MissedRuns {
    func functions(_ times: MissedTimes) -> Set<FunctionName> {
      Set(times.hooks(from: start, to: end).map { names[$0] })
    }
    var missed = MissedRuns(
      entries: functions(entries), returns: functions(returns), evidence: functions(evidence))
    // older recordings tell no time
    for (hook, counter) in counters where accounts[hook] == nil && counter.missed > 0 {
      missed.entries.insert(names[hook])
      missed.returns.insert(names[hook])
    }
    return missed
  }

  /// Keeps memory within bounds in a run without end: of misses that ended before `ns`, each hook's are
  /// one time from then on, which reaches back to the start.
  package mutating func fold(endedBefore ns: UInt64) {
    entries.fold(endedBefore: ns)
    returns.fold(endedBefore: ns)
    evidence.fold(endedBefore: ns)
  }

  private mutating func note(_ now: mrt_account) {
    func miss(_ total: UInt64) -> MissedTimes.Miss {
      .init(from: now.since_ns, to: now.h.time_ns, total: total)
    }
    entries.note(now.h.hook, miss(now.missed_entries))
    // Without its entry a kretprobe's return tells nothing.
    let isKprobe = now.rung == MRT_RUNG_KPROBE.rawValue
    returns.note(
      now.h.hook, miss(now.missed &+ (isKprobe ? now.missed_entries : 0)),
      // that a return never came shows at the next call only, whenever that is
      isOpen: now.missed_returns > 0 || now.running > 0)
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
    self.init(function: function, rung: Rung(record.rung))
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
    self.init(function: function, rung: Rung(record.rung), isFull: false)
    hook = record.h.hook
    calls = Self.sum([record.counts.seen, record.missed])
    filtered = record.counts.filtered
    missed = record.missed
    failed = record.counts.failed
    untracked = record.counts.untracked
    recorded = record.counts.recorded
    lost = record.counts.lost
  }
}
