// SPDX-License-Identifier: Apache-2.0

import Model

/// What a long-term pin of one kernel generation refuses (mm/gup.c, ib_umem_get()).
struct PinRules: Equatable, Sendable {
  /// A read-only MR is pinned with FOLL_WRITE|FOLL_FORCE.
  var pinsForWriteAlways: Bool
  /// A write pin of a file mapping that needs dirty tracking is refused.
  var refusesFilePins: Bool

  init(pinsForWriteAlways: Bool, refusesFilePins: Bool) {
    self.pinsForWriteAlways = pinsForWriteAlways
    self.refusesFilePins = refusesFilePins
  }

  init(_ traits: KernelTraits) {
    self.init(
      pinsForWriteAlways: traits.pinsForWriteAlways, refusesFilePins: traits.refusesFilePins)
  }

  /// check_vma_flags() for FOLL_LONGTERM, in its order, but for protection keys, which belong to
  /// the thread.
  func refusal(
    of mapping: MappingEvidence, writes: BackingEvidence.Writes?, access: AccessFlags
  ) -> PinRefusal.Reason? {
    guard mapping.found else { return .missing }
    let flags = mapping.flags
    if !flags.isDisjoint(with: [.io, .pfnMap]) {
      return mapping.file?.isAccelerator == true ? .peer : .device
    }
    if mapping.isFSDAX { return .fsdax }
    if mapping.file?.filesystem == "secretmem" { return .secret }
    let forced = pinsForWriteAlways && !access.isWritable
    guard access.isWritable || forced else {
      return flags.contains(.read) ? nil : .notReadable
    }
    if refusesFilePins && PinRules.needsDirtyTracking(mapping, writes) { return .fileBacked }
    if flags.contains(.write) { return nil }
    // FOLL_FORCE still breaks copy-on-write: private mappings pass, hugetlb's do not.
    let copiesOnWrite = flags.contains(.mayWrite) && !flags.contains(.shared)
    return forced && copiesOnWrite && !mapping.isHugeTLB ? nil : .notWritable
  }

  /// vma_needs_dirty_tracking(): a shared writable mapping of a file system that is told of writes.
  private static func needsDirtyTracking(
    _ mapping: MappingEvidence, _ writes: BackingEvidence.Writes?
  ) -> Bool {
    guard mapping.flags.contains([.shared, .write]) else { return false }
    if let writes {
      return writes.pageMkwrite || writes.pfnMkwrite
        || writes.canWriteBack && !mapping.flags.contains(.pfnMap)
    }
    guard let file = mapping.file, file.isRegular else { return false }
    return trackingFileSystems.contains(file.filesystem)
  }

  /// Of recordings older than 1.4, which do not have what the kernel asks: file systems whose
  /// mappings have page_mkwrite.
  private static let trackingFileSystems: Set<String> = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "nfs", "nfs4", "cifs", "smb3",
    "fuse", "fuseblk", "virtiofs", "9p", "ceph", "gfs2", "ocfs2", "nilfs2", "ubifs", "zonefs",
    "orangefs",
  ]
}
