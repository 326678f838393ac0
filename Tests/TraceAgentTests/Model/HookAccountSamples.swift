// SPDX-License-Identifier: Apache-2.0

import Model

extension HookAccount {
  /// A balanced account.
  static func sample(
    _ function: String, reported: UInt64 = 0, cut: UInt64 = 0, aggregated: UInt64 = 0,
    filtered: UInt64 = 0, unstarted: UInt64 = 0, missed: UInt64 = 0, missedReturns: UInt64 = 0,
    lost: UInt64 = 0
  ) -> HookAccount {
    var account = HookAccount(function: function, rung: .fexit)
    account.calls = reported + cut + aggregated + filtered + unstarted + missed + missedReturns
    account.reported = reported
    account.cut = cut
    account.aggregated = aggregated
    account.filtered = filtered
    account.unstarted = unstarted
    account.missed = missed
    account.missedReturns = missedReturns
    account.recorded = reported
    account.received = reported
    account.written = reported
    account.lost = lost
    return account
  }
}
