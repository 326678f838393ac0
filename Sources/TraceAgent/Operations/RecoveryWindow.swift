// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Failed registrations that wait for what their thread does next.
///
/// librpma pins fsdax, gets EOPNOTSUPP, and registers again with ON_DEMAND: the first is no problem
/// of anybody's.
struct RecoveryWindow: Sendable {
  struct Waiting: Sendable {
    var operation: Operation
    var key: OperationKey
    var deadline: UInt64
  }

  /// By the thread: each has one operation that was its last.
  private var waiting: [Int: Waiting] = [:]
  private var earliest = UInt64.max

  mutating func hold(_ operation: Operation, key: OperationKey, until deadline: UInt64) {
    waiting[operation.runner.tid] = Waiting(operation: operation, key: key, deadline: deadline)
    earliest = min(earliest, deadline)
  }

  /// The failed registration before `operation` on its thread, which need wait no longer; mended
  /// where `operation` is a registration that succeeded over a range that overlaps.
  mutating func next(_ operation: Operation) -> Waiting? {
    guard var before = waiting.removeValue(forKey: operation.runner.tid) else { return nil }
    if operation.startNs ?? operation.endNs <= before.deadline {
      before.operation.recoveredBy = Self.recovery(of: before.operation, by: operation)
    }
    return before
  }

  func isDue(at now: UInt64) -> Bool { now > earliest }

  /// Whether an operation of `tid` waits.
  func waits(for tid: UInt32) -> Bool { !waiting.isEmpty && waiting[Int(tid)] != nil }

  func holds(_ key: OperationKey) -> Bool {
    !waiting.isEmpty && waiting[Int(key.tid)]?.key == key
  }

  /// Adds late evidence to its operation; false when that is not here.
  mutating func add(_ event: Event, to key: OperationKey, hooks: HookNames) -> Bool {
    guard waiting[Int(key.tid)]?.key == key else { return false }
    waiting[Int(key.tid)]?.operation.add(event, hooks: hooks)
    return true
  }

  mutating func takeDue(at now: UInt64) -> [Waiting] {
    guard now > earliest else { return [] }
    let due = waiting.values.filter { now > $0.deadline }
    for one in due { waiting[one.operation.runner.tid] = nil }
    earliest = waiting.values.map(\.deadline).min() ?? .max
    return due.sorted { $0.operation.endNs < $1.operation.endNs }
  }

  mutating func takeAll() -> [Waiting] {
    defer { waiting = [:] }
    return waiting.values.sorted { $0.operation.endNs < $1.operation.endNs }
  }

  private static func recovery(of failure: Operation, by next: Operation) -> String? {
    guard next.kind == .regMR, !next.failed, next.runner.pid == failure.runner.pid,
      failure.mr.overlaps(next.mr)
    else { return nil }
    let onDemand = [failure, next].map { $0.mr.access.map { $0 & MemoryRegion.onDemand != 0 } }
    switch (onDemand[0], onDemand[1]) {
    case (false?, true?): return "reg_mr with ON_DEMAND"
    case (true?, false?): return "reg_mr without ON_DEMAND"
    default: return "reg_mr"
    }
  }
}

extension MemoryRegion {
  /// IB_ACCESS_ON_DEMAND.
  fileprivate static let onDemand: UInt32 = 1 << 6

  /// Both ranges are known and share a byte.
  fileprivate func overlaps(_ other: MemoryRegion) -> Bool {
    guard let address, let length, let otherAddress = other.address, let otherLength = other.length
    else { return false }
    // Differences of addresses: an end may be 2^64.
    if address <= otherAddress { return otherAddress - address < length && otherLength > 0 }
    return address - otherAddress < otherLength && length > 0
  }
}
