// SPDX-License-Identifier: Apache-2.0

/// So many in a while, and no more: a burst of up to `capacity`, and one more every `periodNs`.
package struct TokenBucket: Equatable, Sendable {
  private let capacity: UInt64
  private let periodNs: UInt64
  private var tokens: UInt64
  private var filledNs: UInt64

  package init(capacity: Int, per wholeNs: UInt64, now: UInt64) {
    self.capacity = UInt64(max(capacity, 1))
    periodNs = max(wholeNs / self.capacity, 1)
    tokens = self.capacity
    filledNs = now
  }

  /// False: none is left at `now` (CLOCK_MONOTONIC, ns).
  package mutating func take(now: UInt64) -> Bool {
    fill(now: now)
    guard tokens > 0 else { return false }
    tokens -= 1
    return true
  }

  package mutating func isEmpty(now: UInt64) -> Bool {
    fill(now: now)
    return tokens == 0
  }

  private mutating func fill(now: UInt64) {
    guard now > filledNs else { return }
    let more = (now - filledNs) / periodNs
    tokens = min(capacity, tokens + min(more, capacity))
    filledNs = tokens == capacity ? now : filledNs + more * periodNs
  }
}
