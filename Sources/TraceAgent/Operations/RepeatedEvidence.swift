// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Keeps the last failures that others may repeat, and lends their evidence to those that do: they have none of their own
/// (`MRT_HAS_REPEATED`, bpf/repeats.h).
struct RepeatedEvidence: Sendable {
  private struct Lender: Sendable {
    var key: OperationKey
    var operation: Operation
  }

  private let limit: Int
  /// The last failures that may lend; ``next`` is the oldest of them once there are ``limit``.
  private var lenders: [Lender] = []
  private var next = 0
  /// Where they stand in ``lenders``, by the number of their operation: a record does not name its lender's thread.
  private var places: [UInt64: [Int]] = [:]

  /// `limit`: failures that are kept. When there are more, the oldest are forgotten.
  init(limit: Int) { self.limit = max(1, limit) }

  /// Keeps a failure that may be repeated: a walk was refused for its mapping alone, or no page was looked at.
  mutating func keep(_ operation: Operation, key: OperationKey) {
    guard mayLend(operation) else { return }
    let lender = Lender(key: key, operation: operation)
    if lenders.count < limit {
      places[key.operation, default: []].append(lenders.count)
      lenders.append(lender)
      return
    }
    let oldest = lenders[next].key.operation
    places[oldest]?.removeAll { $0 == next }
    if places[oldest]?.isEmpty == true { places[oldest] = nil }
    places[key.operation, default: []].append(next)
    lenders[next] = lender
    next = (next + 1) % limit
  }

  /// No fault decided, nor a page: the kernel side lends no evidence of those.
  private func mayLend(_ operation: Operation) -> Bool {
    guard operation.faults.isEmpty, operation.folios.isEmpty else { return false }
    if let walk = operation.walks.first {
      return walk.function == "hmm_vma_walk_test"
        || walk.function == "hmm_vma_walk_hole" && !walk.hasVMA
    }
    return operation.ranges.isEmpty
  }

  mutating func add(_ event: Event, to key: OperationKey, hooks: HookNames) {
    for place in places[key.operation] ?? [] where lenders[place].key == key {
      lenders[place].operation.add(event, hooks: hooks)
    }
  }

  /// Gives `operation` the evidence of the one that it repeats, without the stacks, which may be others; false where
  /// that is not here, or where more than one may be meant.
  func lend(to operation: inout Operation, key: OperationKey) -> Bool {
    guard let after = operation.repeatsAfterNs, after <= key.operation else { return false }
    let fitting = (places[key.operation - after] ?? []).filter {
      fits(lenders[$0].operation, operation, key)
    }
    guard fitting.count == 1, let place = fitting.first else { return false }
    let evidence = lenders[place].operation
    operation.lost += evidence.lost
    let start = evidence.startNs ?? lenders[place].key.operation
    operation.lentFrom = min(start, evidence.endNs)...evidence.endNs
    operation.owner = operation.owner ?? evidence.owner
    operation.umems = evidence.umems
    operation.layers = evidence.layers
    operation.ranges = evidence.ranges
    operation.walks = evidence.walks
    operation.levels = evidence.levels
    operation.entries = evidence.entries
    operation.mappings = evidence.mappings
    operation.faults = evidence.faults
    operation.folios = evidence.folios
    operation.refusals = evidence.refusals
    operation.forked = evidence.forked
    operation.backings = evidence.backings
    return true
  }

  /// The record says what the call that began repeats. Where another call ended, that is another request; and what ends
  /// after the repeating one began is the end of another call than the lender was.
  private func fits(_ lender: Operation, _ operation: Operation, _ key: OperationKey) -> Bool {
    // Evidence may have come since it was kept.
    mayLend(lender) && lender.endNs <= key.operation && lender.kind == operation.kind
      && lender.root == operation.root && lender.ownerPID == operation.ownerPID
      && lender.result == operation.result && lender.request == operation.request
      && lender.advice == operation.advice && lender.lkey == operation.lkey
      && lender.mr.matches(operation.mr)
  }
}

extension MemoryRegion {
  /// Of two records: they say the same of a region. What is known from elsewhere may have been added to one of them.
  fileprivate func matches(_ other: MemoryRegion) -> Bool {
    func same<T: Equatable>(_ one: T?, _ other: T?) -> Bool {
      one == nil || other == nil || one == other
    }
    return same(address, other.address) && same(length, other.length) && same(iova, other.iova)
      && same(access, other.access)
  }
}
