// SPDX-License-Identifier: Apache-2.0

import CEvents

/// What the agent took from the ring buffer, by hook, and what the kernel told it has lost, by CPU.
package struct ReceivedRecords {
  package init() {}

  private var received = [UInt64](repeating: 0, count: Int(MRT_HOOK_COUNT.rawValue))
  private var written = [UInt64](repeating: 0, count: Int(MRT_HOOK_COUNT.rawValue))
  private var lostTold: [UInt64] = []

  mutating func count(_ hook: UInt32, written isWritten: Bool) {
    let hook = Int(hook)
    guard hook < received.count else { return }
    received[hook] &+= 1
    if isWritten { written[hook] &+= 1 }
  }

  package func of(_ hook: UInt32) -> (received: UInt64, written: UInt64) {
    let hook = Int(hook)
    return hook < received.count ? (received[hook], written[hook]) : (0, 0)
  }

  /// What of `total` had not been told.
  mutating func newlyLost(cpu: Int, total: UInt64) -> UInt64 {
    while lostTold.count <= cpu { lostTold.append(0) }
    guard total > lostTold[cpu] else { return 0 }
    defer { lostTold[cpu] = total }
    return total - lostTold[cpu]
  }
}
