// SPDX-License-Identifier: Apache-2.0

import CEvents

/// The operations that ended last, so that one whose record is there twice is told once.
struct EndedOperations: Sendable {
  private struct End: Hashable {
    var key: OperationKey
    var timeNs: UInt64
    /// Of the whole record: a number may be that of another operation too.
    var hash: Int
  }

  private let limit: Int
  private var ends: Set<End> = []
  /// A ring of them, in order of arrival.
  private var order: [End] = []
  private var next = 0

  init(limit: Int) { self.limit = max(1, limit) }

  /// False where this end is known already.
  mutating func insert(_ record: mrt_operation) -> Bool {
    guard record.h.operation != 0 else { return true }
    var hasher = Hasher()
    withUnsafeBytes(of: record) { hasher.combine(bytes: $0) }
    let end = End(
      key: OperationKey(tid: record.h.tid, operation: record.h.operation),
      timeNs: record.h.time_ns, hash: hasher.finalize())
    guard ends.insert(end).inserted else { return false }
    if order.count < limit {
      order.append(end)
    } else {
      ends.remove(order[next])
      order[next] = end
      next = (next + 1) % limit
    }
    return true
  }
}
