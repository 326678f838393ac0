// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Failed operations that have ended and wait a while for evidence that comes late, in order of
/// arrival.
struct LateWindow: Sendable {
  private struct Waiting: Sendable {
    var operation: Operation
    var key: PendingEvidence.Key
  }

  private let lateNs: UInt64
  /// From `head` on; nil before it.
  private var waiting: [Waiting?] = []
  private var head = 0
  /// Of the waiting operations: the number of each in order of arrival, `waiting` begins with
  /// number `first`.
  private var numbers: [PendingEvidence.Key: Int] = [:]
  private var first = 0

  init(lateNs: UInt64) { self.lateNs = lateNs }

  mutating func hold(_ operation: Operation, key: PendingEvidence.Key) {
    if lateNs > 0 { numbers[key] = first + waiting.count }
    waiting.append(Waiting(operation: operation, key: key))
  }

  /// Adds late evidence to its operation; false when that is not here.
  mutating func add(_ event: Event, to key: PendingEvidence.Key, hooks: HookNames) -> Bool {
    guard let number = numbers[key] else { return false }
    waiting[number - first]?.operation.add(event, hooks: hooks)
    return true
  }

  mutating func takeDue(at now: UInt64, into operations: inout [Operation]) {
    take(into: &operations) { [lateNs] endNs in
      lateNs == 0 || (now >= endNs && now - endNs > lateNs)
    }
  }

  mutating func takeAll(into operations: inout [Operation]) {
    take(into: &operations) { _ in true }
  }

  private mutating func take(into operations: inout [Operation], while isDue: (UInt64) -> Bool) {
    guard head < waiting.count else { return }
    while head < waiting.count, let endNs = waiting[head]?.operation.endNs, isDue(endNs),
      let next = waiting[head].take()
    {
      // An operation number seen again belongs to the later one.
      if numbers[next.key] == first + head { numbers[next.key] = nil }
      operations.append(next.operation)
      head += 1
    }
    if head == waiting.count || head > 1024 && head > waiting.count / 2 {
      waiting.removeFirst(head)
      first += head
      head = 0
    }
  }
}
