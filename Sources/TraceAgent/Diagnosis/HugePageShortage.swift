// SPDX-License-Identifier: Apache-2.0

import Model

/// Why alloc_huge_page() (6.5 and later: alloc_hugetlb_folio()) had no page to give, by what it looks
/// at and in its order. Every reason is -ENOSPC there, and SIGBUS for the fault; all of them have the
/// name fault-sigbus, which scripts have known them by.
struct HugePageShortage {
  /// Follows "the fault of page … ".
  var text: String
  var advice: [String]

  /// `owner` has the name of its control group.
  init?(_ backing: BackingEvidence, _ mapping: MappingEvidence, owner: OwnerEvidence?) {
    guard let pool = backing.pool else { return nil }
    let isShared = mapping.flags.contains(.mayShare) || mapping.flags.contains(.shared)
    let unreserved = HugePageShortage.unreserved(pool, mapping, isShared: isShared)
    let size = HugePageShortage.size(pool.pageSize)
    let pages = pool.pageSize >> 12
    let numbers =
      "\(pool.total) in the pool, \(pool.free) free, of these \(pool.reserved) reserved, "
      + "\(pool.surplus) surplus of at most \(pool.overcommit)"

    if pool.wasUnmapped, !isShared {
      text =
        "met a huge page (\(size)) that was taken away again: the process that made this private "
        + "mapping needed a copy of its own, and the pool had no other page (\(numbers))"
      advice = [HugePageShortage.enlarge(pool), HugePageShortage.fork]
    } else if unreserved != nil, let mount = backing.subpool, mount.isUsedUp {
      text =
        "needs a huge page (\(size)) beyond the size of its hugetlbfs mount: \(mount.used) of "
        + "\(mount.max) are used or reserved"
      advice = [
        "The hugetlbfs mount has a size of its own: make it larger (mount -o remount,size=…), or "
          + "remove files from it (df)."
      ]
    } else if unreserved != nil, let group = backing.groupReserved, !group.has(roomFor: pages) {
      text = HugePageShortage.limit(
        group, owner, size: size, file: "hugetlb.\(size).rsvd.max")
      advice = [HugePageShortage.raise("hugetlb.\(size).rsvd.max")]
    } else if let group = backing.group, !group.has(roomFor: pages) {
      text = HugePageShortage.limit(group, owner, size: size, file: "hugetlb.\(size).max")
      advice = [HugePageShortage.raise("hugetlb.\(size).max")]
    } else if !pool.hasAvailable {
      let why = unreserved.map { ", and this mapping has none reserved: \($0.rawValue)" } ?? ""
      let grow =
        pool.mayGrow ? "; the pool may grow, but no memory of that size in one piece was found" : ""
      text = "needs a huge page (\(size)), and there is none to give (\(numbers))\(why)\(grow)"
      advice = [HugePageShortage.enlarge(pool)]
      if let unreserved { advice.append(HugePageShortage.reserve(unreserved)) }
    } else {
      return nil
    }
  }

  /// Why a mapping has no page of its own in the pool, as a sentence says it.
  private enum Unreserved: String {
    case noReserve = "it was made with MAP_NORESERVE"
    case cameByFork = "it is private and came by fork, which leaves the reservation with the parent"
  }

  /// nil: it has one.
  private static func unreserved(
    _ pool: BackingEvidence.Pool, _ mapping: MappingEvidence, isShared: Bool
  ) -> Unreserved? {
    if mapping.flags.contains(.noReserve) { return .noReserve }
    return !isShared && !pool.isReserveOwner ? .cameByFork : nil
  }

  private static func limit(
    _ group: BackingEvidence.Group, _ owner: OwnerEvidence?, size: String, file: String
  ) -> String {
    let isOwn = owner?.cgroup == group.number
    let whose =
      isOwn
      ? owner?.cgroupPath ?? "number \(group.number)"
      : "number \(group.number)" + (owner?.cgroupPath.map { ", above \($0)" } ?? "")
    return "needs a huge page (\(size)) beyond the limit of its control group, or of one above: "
      + "\(group.usage << 12) bytes are used of \(group.max << 12) (\(file) of \(whose))"
  }

  private static func raise(_ file: String) -> String {
    "Raise \(file) of the control group (find /sys/fs/cgroup -inum NUMBER names it; in Kubernetes "
      + "limits: hugepages-…), or use fewer huge pages in it. More pages in the pool change nothing."
  }

  private static func enlarge(_ pool: BackingEvidence.Pool) -> String {
    "Give the pool more pages: write their number to /sys/kernel/mm/hugepages/hugepages-"
      + "\(pool.pageSize >> 10)kB/nr_hugepages (or nr_overcommit_hugepages; at boot hugepages=), best "
      + "early, before memory is fragmented."
  }

  private static let fork =
    "Do not fork while huge pages are mapped privately, or map them shared, or keep them from the "
    + "child (madvise MADV_DONTFORK)."

  private static func reserve(_ why: Unreserved) -> String {
    switch why {
    case .noReserve:
      "Map without MAP_NORESERVE: then a pool that is too small is told by mmap()."
    case .cameByFork: fork
    }
  }

  /// As the files of the hugetlb controller have it.
  private static func size(_ bytes: UInt64) -> String {
    if bytes >= 1 << 30 { return "\(bytes >> 30)GB" }
    if bytes >= 1 << 20 { return "\(bytes >> 20)MB" }
    return "\(bytes >> 10)KB"
  }
}
