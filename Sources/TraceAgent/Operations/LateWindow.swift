// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Failed operations that have ended and wait a while for evidence that comes late, in order of
/// arrival.
struct LateWindow: Sendable {
  private struct Waiting: Sendable {
    var operation: Operation
    var key: OperationKey
  }

  private var lateNs: UInt64
  /// From `head` on; nil before it.
  private var waiting: [Waiting?] = []
  private var head = 0
  /// Of the waiting operations: the number of each in order of arrival, `waiting` begins with
  /// number `first`.
  private var numbers: [OperationKey: Int] = [:]
  private var first = 0

  init(lateNs: UInt64) { self.lateNs = lateNs }

  /// Before the first operation.
  mutating func wait(_ ns: UInt64) { if lateNs > 0 { lateNs = max(lateNs, ns) } }

  mutating func hold(_ operation: Operation, key: OperationKey) {
    if lateNs > 0 { numbers[key] = first + waiting.count }
    waiting.append(Waiting(operation: operation, key: key))
  }

  /// Whether the operation that came first need wait no longer.
  func isDue(at now: UInt64) -> Bool {
    guard head < waiting.count else { return false }
    guard let endNs = waiting[head]?.operation.endNs else { return true }
    return lateNs == 0 || (now >= endNs && now - endNs > lateNs)
  }

  func holds(_ key: OperationKey) -> Bool { !numbers.isEmpty && numbers[key] != nil }

  /// Adds late evidence to its operation; false when that is not here.
  mutating func add(_ event: Event, to key: OperationKey, hooks: HookNames) -> Bool {
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
