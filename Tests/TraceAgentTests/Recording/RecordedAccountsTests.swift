// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording
import Testing

@Suite struct RecordedAccountsTests {
  private static let range = "hmm_range_fault"

  private func account(
    _ change: (inout mrt_account) -> Void, since: UInt64, timeNs: UInt64
  ) -> Event {
    var account = mrt_account()
    account.since_ns = since
    change(&account)
    return .account(account, hook: MRT_HOOK_RANGE_FAULT.rawValue, timeNs: timeNs)
  }

  private func operation(_ start: UInt64?, _ end: UInt64) -> Operation {
    var operation = Operation(
      kind: .adviseMR, runner: .init(pid: 1, tid: 1, comm: "c"), endNs: end, result: -14)
    operation.startNs = start
    return operation
  }

  @Test func theLastAccountCountsAndReplacesTheCounter() {
    var accounts = RecordedAccounts()
    var counts = mrt_counts()
    counts.seen = 9
    let hook = MRT_HOOK_RANGE_FAULT.rawValue
    accounts.add(
      .counter(hook: hook, rung: MRT_RUNG_FEXIT, counts: counts, missed: 2, timeNs: 5))
    #expect(accounts.hooks(HookNames()).map(\.calls) == [11])
    #expect(accounts.hooks(HookNames())[0].isFull == false)
    accounts.add(account({ $0.calls = 3 }, since: 0, timeNs: 5))
    accounts.add(account({ $0.calls = 8 }, since: 5, timeNs: 9))
    #expect(accounts.hooks(HookNames()).map(\.calls) == [8])
    #expect(accounts.hooks(HookNames())[0].isFull)
    // the closing record is of no hook
    accounts.add(.counter(hook: 0, rung: MRT_RUNG_NONE, counts: counts, missed: 0, timeNs: 9))
    #expect(accounts.hooks(HookNames()).count == 1)
  }

  @Test func runsAreMissedInTheirTime() {
    var accounts = RecordedAccounts()
    accounts.add(account({ $0.missed = 1 }, since: 100, timeNs: 200))
    accounts.add(account({ $0.missed = 1 }, since: 800, timeNs: 900))
    for (start, end, isHit) in [
      (10 as UInt64?, 99 as UInt64, false), (10, 100, true), (150, 160, true), (200, 300, true),
      (201, 1000, false), (nil, 150, true), (nil, 850, false),
    ] {
      let missed = accounts.missed(during: operation(start, end), HookNames()).all
      #expect(missed == (isHit ? [Self.range] : []), "\(String(describing: start)) \(end)")
    }
  }

  /// It shows at the next call only that a return never came.
  @Test func aReturnThatNeverCameMayBeOfAnyTimeBefore() {
    for change: @Sendable (inout mrt_account) -> Void in [
      { $0.missed_returns = 1 }, { $0.running = 1 },
    ] {
      var accounts = RecordedAccounts()
      accounts.add(account(change, since: 800, timeNs: 900))
      #expect(accounts.missed(during: operation(1, 2), HookNames()).all == [Self.range])
      #expect(accounts.missed(during: operation(901, 902), HookNames()).all == [])
    }
  }

  /// What is no longer kept one by one counts for all that began before its end.
  @Test func foldedMissesAreOfAnyTimeBefore() {
    var accounts = RecordedAccounts()
    accounts.add(account({ $0.missed = 1 }, since: 100, timeNs: 200))
    accounts.add(account({ $0.missed = 2 }, since: 800, timeNs: 900))
    accounts.fold(endedBefore: 500)
    for (start, end, isHit) in [
      (10, 20, true), (200, 250, true), (201, 700, false), (850, 950, true), (901, 950, false),
    ] as [(UInt64, UInt64, Bool)] {
      let missed = accounts.missed(during: operation(start, end), HookNames()).all
      #expect(missed == (isHit ? [Self.range] : []), "\(start) \(end)")
    }
    accounts.fold(endedBefore: .max)
    #expect(accounts.missed(during: operation(700, 701), HookNames()).all == [Self.range])
    #expect(accounts.missed(during: operation(901, 902), HookNames()).all == [])
  }

  /// What began an operation may have been missed before it; a worker's prefetch lasts until something else is seen.
  @Test func missesBefore() {
    var accounts = RecordedAccounts()
    accounts.add(account({ $0.missed_entries = 1 }, since: 5_000_000_000, timeNs: 5_000_000_100))
    for (start, isHit) in [(5_000_000_200, true), (6_000_000_000, true), (6_000_000_200, false)]
      as [(UInt64, Bool)]
    {
      var one = operation(start, start + 10)
      one.kind = .pageFault
      #expect(accounts.missed(before: one, HookNames()) == (isHit ? [Self.range] : []), "\(start)")
      #expect(accounts.missed(during: one, HookNames()).all == [])
      one.kind = .prefetch
      #expect(accounts.missed(before: one, HookNames()) == [Self.range])
    }
  }

  /// Of an operation that has another's evidence, what was missed since that one began counts.
  @Test func missesWhileTheEvidenceWasTaken() {
    var accounts = RecordedAccounts()
    accounts.add(account({ $0.missed = 1 }, since: 100, timeNs: 200))
    var one = operation(300, 400)
    #expect(accounts.missed(during: one, HookNames()).all == [])
    one.lentFrom = 150...160
    #expect(accounts.missed(during: one, HookNames()).all == [Self.range])
  }

  /// In which order they come does not matter, nor that one comes twice.
  @Test func accountsInAnyOrder() {
    let all = [
      account({ $0.missed = 1 }, since: 100, timeNs: 200),
      account({ $0.missed = 3 }, since: 300, timeNs: 400),
      account({ $0.missed = 3 }, since: 900, timeNs: 1000),
    ]
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 0, 2, 2]] {
      var accounts = RecordedAccounts()
      for index in order { accounts.add(all[index]) }
      for (start, isHit) in [(150, true), (250, false), (350, true)] as [(UInt64, Bool)] {
        #expect(
          accounts.missed(during: operation(start, start), HookNames()).all
            == (isHit ? [Self.range] : []))
      }
      #expect(accounts.hooks(HookNames()).map(\.missed) == [3])
    }
  }

  /// Evidence that was not taken is no call that was missed.
  @Test func missedEvidenceIsNoMissedCall() {
    var shed = mrt_shed()
    shed.h.hook = MRT_HOOK_RANGE_FAULT.rawValue
    shed.h.time_ns = 200
    shed.since_ns = 100
    shed.missed = 1
    var accounts = RecordedAccounts()
    accounts.add(.shed(shed))
    #expect(accounts.missed(during: operation(150, 160), HookNames()).all == [Self.range])
    #expect(accounts.missed(during: operation(150, 160), HookNames()).calls == [])
  }
}
