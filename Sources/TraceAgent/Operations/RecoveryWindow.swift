// SPDX-License-Identifier: Apache-2.0

import Events
import Model

/// Failed registrations that wait for what their thread does next.
///
/// librpma pins fsdax, gets EOPNOTSUPP, and registers again with ON_DEMAND: the first is no problem
/// of anybody's. A program that takes no notice, and registers a part of the memory for something else, has mended
/// nothing.
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
  /// where `operation` is a registration that succeeded over all of its range, with all its rights.
  mutating func next(_ operation: Operation) -> Waiting? {
    guard var before = waiting.removeValue(forKey: operation.runner.tid) else { return nil }
    if operation.startNs ?? operation.endNs <= before.deadline {
      Self.conclude(&before.operation, from: operation)
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

  /// Says of `failure` what the thread registered next over its range: the whole of it with all its rights is the
  /// cure, less than that is not. Several registrations that cover it together are none: the peer has been told one
  /// key, or will be; and which of them is the last nothing tells.
  private static func conclude(_ failure: inout Operation, from next: Operation) {
    // Another device's MR serves other connections: a library with several tries each.
    guard next.kind == .regMR, !next.failed, next.runner.pid == failure.runner.pid,
      failure.device == next.device, let shared = failure.mr.shared(with: next.mr), shared > 0,
      let length = failure.mr.length
    else { return }
    let wanted = failure.mr.access.map(AccessFlags.init(rawValue:))
    let given = next.mr.access.map(AccessFlags.init(rawValue:))
    var name = "reg_mr"
    switch (wanted?.contains(.onDemand), given?.contains(.onDemand)) {
    case (false?, true?): name += " with ON_DEMAND"
    case (true?, false?): name += " without ON_DEMAND"
    default: break
    }
    var lacking: [String] = []
    if shared < length { lacking.append("of \(shared) of the \(length) bytes") }
    if let wanted, let given {
      let rights = wanted.intersection(.rights).subtracting(given)
      if !rights.isEmpty {
        lacking.append("without \(AccessFlags.names(rights.rawValue).joined(separator: " and "))")
      }
    } else {
      lacking.append("with rights that are not known")
    }
    if lacking.isEmpty {
      failure.recoveredBy = name
    } else {
      let isPlain = name == "reg_mr" && lacking.count == 1
      failure.followedBy = ([name] + lacking).joined(separator: isPlain ? " " : ", ")
    }
  }
}

extension MemoryRegion {
  /// How many bytes are in both; nil: a range is not known.
  fileprivate func shared(with other: MemoryRegion) -> UInt64? {
    guard let address, let length, let otherAddress = other.address, let otherLength = other.length
    else { return nil }
    // Differences of addresses: an end may be 2^64.
    if address <= otherAddress {
      let before = otherAddress - address
      return before < length ? min(length - before, otherLength) : 0
    }
    let before = address - otherAddress
    return before < otherLength ? min(otherLength - before, length) : 0
  }
}
