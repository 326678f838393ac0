// SPDX-License-Identifier: Apache-2.0

import Events

/// Evidence of operations that have not ended yet, bounded: an operation whose end is never seen
/// must not stay forever.
struct PendingEvidence: Sendable {
  struct Key: Hashable, Sendable {
    var tid: UInt32
    var operation: UInt64
  }

  /// The evidence of one operation.
  struct Evidence: Sendable {
    var events: [Event] = []
    /// Records over the limit of one operation, not kept.
    var dropped = 0
  }

  /// Operations given up because too many were pending, and records of them.
  private(set) var abandonedOperations = 0
  private(set) var abandonedRecords = 0

  private let operationLimit: Int
  private let recordLimit: Int
  private var pending: [Key: Evidence] = [:]
  /// Keys in order of their first record; keys of ended operations are skipped, and dropped now and
  /// then.
  private var order: [Key] = []
  private var head = 0

  init(operationLimit: Int, recordLimit: Int) {
    self.operationLimit = max(1, operationLimit)
    self.recordLimit = max(1, recordLimit)
  }

  var count: Int { pending.count }

  /// Records of operations that have not ended.
  var records: Int { pending.values.reduce(0) { $0 + $1.events.count + $1.dropped } }

  func holds(_ key: Key) -> Bool { pending[key] != nil }

  mutating func add(_ event: Event, to key: Key) {
    if pending[key] == nil {
      while pending.count >= operationLimit { abandonOldest() }
      compact()
      order.append(key)
    }
    let limit = recordLimit
    Self.append(event, to: &pending[key, default: Evidence()], limit: limit)
  }

  /// The evidence of an operation that has ended.
  mutating func take(_ key: Key) -> Evidence { pending.removeValue(forKey: key) ?? Evidence() }

  private static func append(_ event: Event, to evidence: inout Evidence, limit: Int) {
    if evidence.events.count < limit {
      evidence.events.append(event)
    } else {
      evidence.dropped += 1
    }
  }

  private mutating func abandonOldest() {
    while head < order.count {
      let key = order[head]
      head += 1
      if let evidence = pending.removeValue(forKey: key) {
        abandonedOperations += 1
        abandonedRecords += evidence.events.count + evidence.dropped
        return
      }
    }
  }

  private mutating func compact() {
    guard order.count > 2 * operationLimit + 64 else { return }
    // A key that ended and began again stands here twice; the earlier place is the one kept.
    var seen: Set<Key> = []
    order = order[head...].filter { pending[$0] != nil && seen.insert($0).inserted }
    head = 0
  }
}
