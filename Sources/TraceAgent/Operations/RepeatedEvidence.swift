// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Keeps, for each thread, the last failure that later ones may repeat, and lends its evidence to those that do: they
/// have none of their own (`MRT_HAS_REPEATED`).
struct RepeatedEvidence: Sendable {
  private struct Told: Sendable {
    var key: OperationKey
    var operation: Operation
  }

  /// Longer than the kernel side has a failure repeat another (`TELL_AGAIN_NS` of bpf/hmm.h) and an operation lasts,
  /// as a rule.
  private static let keptNs: UInt64 = 1_000_000_000

  private let limit: Int
  private var told: [UInt32: Told] = [:]

  /// `limit`: threads whose failure is kept. When there are more, those of long ago are forgotten; if none is, all.
  init(limit: Int) { self.limit = max(1, limit) }

  /// A failure that may be repeated: a request that HMM refused for its mappings alone (repeats() of bpf/hmm.h). The
  /// kernel side remembers it past failures of other kinds, so those do not take its place.
  mutating func keep(_ operation: Operation, key: OperationKey) {
    guard operation.kind == .adviseMR, let walk = operation.walks.first,
      walk.function == "hmm_vma_walk_test" || walk.function == "hmm_vma_walk_hole" && !walk.hasVMA
    else { return }
    if told.count >= limit, told[key.tid] == nil {
      let now = operation.endNs
      told = told.filter { now < $0.value.operation.endNs &+ Self.keptNs }
      if told.count >= limit { told.removeAll(keepingCapacity: true) }
    }
    told[key.tid] = Told(key: key, operation: operation)
  }

  mutating func add(_ event: Event, to key: OperationKey, hooks: HookNames) {
    guard !told.isEmpty, told[key.tid]?.key == key else { return }
    told[key.tid]?.operation.add(event, hooks: hooks)
  }

  /// Gives `operation` the evidence of the one that it repeats, without the stacks, which may be others; false where
  /// that is not here.
  func lend(to operation: inout Operation, key: OperationKey) -> Bool {
    guard let after = operation.repeatsAfterNs, after <= key.operation,
      let first = told[key.tid],
      first.key == OperationKey(tid: key.tid, operation: key.operation - after)
    else { return false }
    let evidence = first.operation
    // It had ended by then; what ends later is the end of another call than began it.
    guard evidence.endNs <= key.operation else { return false }
    // The record says so of the call that began; where another ended, it has none.
    guard evidence.kind == operation.kind, evidence.result == operation.result,
      evidence.request == operation.request, evidence.advice == operation.advice,
      evidence.lkey == operation.lkey
    else { return false }
    operation.lost += evidence.lost
    let start = evidence.startNs ?? first.key.operation
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
}
