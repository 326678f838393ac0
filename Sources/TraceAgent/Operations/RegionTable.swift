// SPDX-License-Identifier: Apache-2.0

import Model

/// Memory regions by the kernel address of their umem, so that a page fault can be told with the
/// access flags that only the registration knew.
///
/// The kernel reuses addresses: a newer registration replaces, a release removes, and an entry that
/// contradicts what an operation saw is not used.
struct RegionTable: Sendable {
  private struct Entry {
    var region: MemoryRegion
    var ownerPID: Int?
    var device: String?
    var lkey: UInt32?
  }

  private struct Key: Hashable {
    var device: String?
    var lkey: UInt32
  }

  /// A registration by its key, of whichever kind of memory.
  private struct Registration {
    var region: MemoryRegion
    var ownerPID: Int?
    var timeNs: UInt64
  }

  private var entries: [UInt64: Entry] = [:]
  private var registrations: [Key: Registration] = [:]
  private let limit: Int

  /// - Parameter limit: the number of regions kept; beyond it all are forgotten, which leaves
  ///   fields absent.
  init(limit: Int) { self.limit = limit }

  var count: Int { entries.count }

  /// Learns from a successful `reg_mr` or `rereg_mr`; of other operations nothing.
  mutating func learn(from operation: Operation) {
    guard !operation.failed else { return }
    switch operation.kind {
    case .regMR:
      if let lkey = operation.lkey {
        if registrations.count >= limit { registrations.removeAll(keepingCapacity: true) }
        registrations[Key(device: operation.device, lkey: lkey)] = Registration(
          region: operation.mr, ownerPID: operation.ownerPID, timeNs: operation.endNs)
      }
      guard let umem = operation.umemIdentity else { return }
      if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
      entries[umem] = Entry(
        region: operation.mr, ownerPID: operation.ownerPID, device: operation.device,
        lkey: operation.lkey)
    case .reregMR: reregistered(operation)
    default: break
    }
  }

  mutating func release(umem: UInt64) { entries[umem] = nil }

  /// Fills what a failure does not know of registrations before it: that of the key it names, and
  /// an ancestor's of memory that its process was not given.
  func explain(_ operation: inout Operation) {
    guard operation.failed else { return }
    if operation.kind == .adviseMR, let lkey = operation.lkey,
      let known = registrations[Key(device: operation.device, lkey: lkey)],
      known.ownerPID == operation.ownerPID, known.timeNs <= operation.startNs ?? operation.endNs
    {
      operation.keyRegistration = known.region
    }
    for index in operation.forked.indices where operation.forked[index].registration == nil {
      let missing = operation.forked[index]
      // Several may have covered it: the last one before the fork.
      operation.forked[index].registration =
        registrations.values.filter {
          $0.ownerPID == missing.pid && $0.timeNs <= missing.forkedNs
            && $0.region.covers(missing.address)
        }.max { $0.timeNs < $1.timeNs }?.region
    }
  }

  /// Fills what an advice, prefetch or page fault does not know of its MR.
  func complete(_ operation: inout Operation) {
    guard !operation.kind.isRegistration, let umem = operation.umemIdentity,
      let entry = entries[umem],
      agrees(entry, with: operation, umem: umem)
    else { return }
    let known = entry.region
    operation.mr.address = operation.mr.address ?? known.address
    operation.mr.length = operation.mr.length ?? known.length
    operation.mr.iova = operation.mr.iova ?? known.iova
    operation.mr.access = operation.mr.access ?? known.access
    operation.device = operation.device ?? entry.device
    if operation.ownerPID == nil { operation.ownerPID = entry.ownerPID }
  }

  /// `ib_uverbs_rereg_mr()` may keep the umem and change the access, or make a new umem.
  private mutating func reregistered(_ operation: Operation) {
    // Of which key it was is not known.
    registrations = registrations.filter { $0.value.ownerPID != operation.ownerPID }
    guard let umem = operation.umemIdentity else {
      // Some MR of this process has changed, and which is not known: know nothing of any.
      entries = entries.filter { $0.value.ownerPID != operation.ownerPID }
      return
    }
    if let lkey = operation.lkey {
      entries = entries.filter {
        $0.key == umem || $0.value.lkey != lkey || $0.value.device != operation.device
      }
    }
    // A umem stands for one range, so that much still holds; the access may have changed unseen.
    var region = operation.mr
    if let known = entries[umem]?.region {
      region.address = region.address ?? known.address
      region.length = region.length ?? known.length
      region.iova = region.iova ?? known.iova
    }
    if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
    entries[umem] = Entry(
      region: region, ownerPID: operation.ownerPID, device: operation.device, lkey: operation.lkey)
  }

  private func agrees(_ entry: Entry, with operation: Operation, umem: UInt64) -> Bool {
    func same<T: Equatable>(_ one: T?, _ other: T?) -> Bool {
      guard let one, let other else { return true }
      return one == other
    }
    let region = operation.umems.last { $0.identity == umem }?.region
    let known = entry.region
    // A umem's place is given again: where the registration of its next owner was not seen, the key tells.
    return same(entry.ownerPID, operation.ownerPID) && same(entry.device, operation.device)
      && same(entry.lkey, operation.lkey)
      && same(known.address, operation.mr.address) && same(known.length, operation.mr.length)
      && same(known.address, region?.start) && same(known.length, region?.length)
  }
}

extension MemoryRegion {
  fileprivate func covers(_ place: UInt64) -> Bool {
    guard let address, let length else { return false }
    // The pages at its ends belong to it.
    let first = address & ~4095
    return place >= first && place - first < length &+ (address - first)
  }
}
