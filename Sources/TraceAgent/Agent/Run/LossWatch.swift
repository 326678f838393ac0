// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Kernel
import Pump

/// Looks at the kernel's counts now and then, so that the recording tells a loss near its time.
struct LossWatch {
  private static let secondNs: UInt64 = 1_000_000_000
  /// While something is lost again and again: what is told of a short time speaks of fewer operations.
  private static let shortNs: UInt64 = 100_000_000

  private var told: [UInt32: UInt64] = [:]
  private var lastLook: UInt64 = 0
  private var lastLoss: UInt64 = 0

  /// Whether it is time to look.
  func isDue(at now: UInt64) -> Bool {
    let isCalm = lastLoss == 0 || now >= lastLoss &+ 2 * Self.secondNs
    return now >= lastLook &+ (isCalm ? Self.secondNs : Self.shortNs)
  }

  /// Accounts of the hooks that lost something since the last look. `now`: before `tallies` were read.
  mutating func look(
    _ tallies: [HookTally], _ records: ReceivedRecords, now: UInt64
  ) -> [Event] {
    // What was lost while they were read is in them, or in the next ones.
    let read = max(now, Clock.monotonic())
    let changed = tallies.filter { tally in
      let hook = tally.row.hook.id.rawValue
      let lost = Self.losses(tally)
      defer { told[hook] = lost }
      return lost != told[hook, default: 0]
    }
    let events = changed.flatMap { self.events($0, records, now: read) }
    lastLook = now
    if !changed.isEmpty { lastLoss = now }
    return events
  }

  /// The totals of the run so far: the last accounts, and the pages counted.
  func all(_ tracer: borrowing Tracer, _ records: ReceivedRecords, now: UInt64) -> [Event] {
    let tallies = tracer.tallies()
    return tallies.flatMap { events($0, records, now: now) }
      // the counters that older readers know
      + tallies.map {
        .counter(
          hook: $0.row.hook.id.rawValue, rung: $0.row.rung.recorded, counts: $0.counts,
          missed: $0.missed, timeNs: now)
      }
      + tracer.pageCounts().map { .pages($0.key, count: $0.count, timeNs: now) }
  }

  private func events(_ tally: HookTally, _ records: ReceivedRecords, now: UInt64) -> [Event] {
    let hook = tally.row.hook.id.rawValue
    let (received, written) = records.of(hook)
    var account = tally.account(received: received, written: written)
    account.since_ns = lastLook
    let event = Event.account(account, hook: hook, timeNs: now)
    guard var shed = tally.shed else { return [event] }
    shed.since_ns = lastLook
    return [event, .shed(shed, hook: hook, timeNs: now)]
  }

  /// Grows whenever something is lost; calls that merely run at the moment are nothing.
  private static func losses(_ tally: HookTally) -> UInt64 {
    tally.tally.lost &+ tally.tally.unstarted &+ tally.tally.untracked &+ tally.missed
      &+ tally.missedReturns &+ tally.missedEntries &+ tally.missedEvidence
  }
}
