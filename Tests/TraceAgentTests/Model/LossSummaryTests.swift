// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct LossSummaryTests {
  @Test func whatIsFilteredOrCountedOnlyIsNotLost() {
    let account = HookAccount.sample("f", reported: 3, aggregated: 100, filtered: 9)
    #expect(account.isBalanced && !account.isLossy && account.losses.isEmpty)
    let summary = LossSummary(hooks: [account])
    #expect(summary.isComplete && summary.sentences.isEmpty && summary.lost == 0)
  }

  @Test func everyWayToLoseIsTold() {
    let ways: [(WritableKeyPath<HookAccount, UInt64>, String, UInt64)] = [
      (\.lost, "ring_full", 5), (\.untracked, "untracked", 5), (\.running, "running", 5),
      (\.missedEntries, "missed_entries", 5), (\.recorded, "not_received", 5),
    ]
    for (way, name, count) in ways {
      var account = HookAccount.sample("f", reported: 3, aggregated: 2)
      account[keyPath: way] += count
      #expect(account.isLossy && account.isBalanced, "\(name)")
      #expect(account.losses.map(\.what) == [name])
      #expect(account.losses.map(\.count) == [count])
      #expect(LossSummary(hooks: [account]).sentences.count == 1, "\(name)")
      #expect(!LossSummary(hooks: [account]).isComplete)
    }
    for account in [
      HookAccount.sample("f", unstarted: 1), .sample("f", missed: 1),
      .sample("f", missedReturns: 1),
    ] {
      #expect(account.isLossy && account.isBalanced && account.losses.count == 1)
    }
  }

  @Test func countsThatDoNotAddUpAreNotTrusted() {
    var account = HookAccount.sample("f", reported: 3)
    account.calls = 4
    #expect(!account.isBalanced && account.isLossy)
    account = .sample("f", reported: 3)
    account.written = 4
    #expect(!account.isBalanced && account.isLossy)
    #expect(
      LossSummary(hooks: [account]).sentences
        == ["The counts of f do not add up: do not trust them."])
    // a hostile recording
    account.reported = .max
    account.cut = .max
    account.lost = .max
    account.recorded = .max
    #expect(account.isLossy && account.recordsLost == .max)
    #expect(LossSummary(hooks: [account, account]).lost == .max)
  }

  @Test func aFewRecordsOnTheirWayAreLostToo() {
    var account = HookAccount.sample("f", reported: 10, cut: 2, lost: 3)
    account.received = 9
    account.written = 8
    let summary = LossSummary(hooks: [account], discarded: 4)
    #expect(summary.lost == 5)
    #expect(
      summary.sentences == [
        "5 records found no room and are lost, 1 of them on their way to the agent, 1 of them for not "
          + "being valid; they are of 2 calls."
      ])
  }
}
