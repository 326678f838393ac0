// SPDX-License-Identifier: Apache-2.0

import Model

// What stands behind a mapping, as the rules ask for it.
extension Failure {
  /// As it was when the mapping was recorded; of huge pages, as it was when their fault failed.
  func backing(of mapping: MappingEvidence) -> BackingEvidence? {
    guard mapping.found else { return nil }
    let those = operation.backings.filter {
      $0.address != 0 && mapping.start <= $0.address && $0.address < mapping.end
    }
    return those.last { $0.function == "hugetlb_fault" } ?? those.last
  }

  func backing(at page: UInt64) -> BackingEvidence? { mapping(at: page).flatMap(backing) }

  var kernel: KernelRelease? { KernelRelease(traits.release) }
}

/// What says that a file system had no block for a page.
struct NoBlock {
  var confidence: Diagnosis.Confidence
  /// Follows "the fault of page … needs ".
  var text: String
  var advice: [String]?
}

extension Failure {
  /// tmpfs and ext4 run a function of their own where there is no block, and tmpfs has its numbers.
  func noBlock(at page: UInt64) -> NoBlock? {
    guard let mapping = mapping(at: page), mapping.found, !mapping.isHugeTLB,
      let file = mapping.file, !isBeyondEOF(page)
    else { return nil }
    return tmpfsFull(mapping, file) ?? ext4Full(file)
  }

  private func tmpfsFull(
    _ mapping: MappingEvidence, _ file: MappingEvidence.File
  ) -> NoBlock? {
    guard let now = backing(of: mapping), let blocks = now.blocks else { return nil }
    let refused = operation.backings.last {
      $0.address == 0 && $0.function == Failure.tmpfsTeller && $0.identity == now.identity
    }
    // It would have been seen to be refused a page.
    if refused == nil && wouldHaveSeen(Failure.tmpfsTeller) { return nil }
    let used = blocks.areUsedUp ? blocks : refused?.blocks.flatMap { $0.areUsedUp ? $0 : nil }
    if let used {
      let isSure = refused != nil && blocks.areUsedUp
      return NoBlock(
        confidence: isSure ? .proved : .inferred,
        text: "a page of its tmpfs, which has none to give: \(used.used) of \(used.max) are used "
          + "(\(used.max << 12) bytes)" + (isSure ? "" : ", or were a moment before or after"),
        advice: Failure.tmpfsAdvice)
    }
    guard refused != nil else { return nil }
    let room = blocks.max == 0 ? "it has no limit" : "\(blocks.used) of \(blocks.max) are used"
    return NoBlock(
      confidence: .inferred,
      text: "a page that its tmpfs refused (ENOSPC or EDQUOT), though not for its size (\(room)): "
        + "for a quota, or for vm.overcommit_memory=2",
      advice: Failure.tmpfsAdvice)
  }

  private func ext4Full(_ file: MappingEvidence.File) -> NoBlock? {
    let refused = operation.backings.last {
      $0.address == 0 && $0.function == Failure.ext4Teller && $0.device == file.device
    }
    guard refused != nil else { return nil }
    return NoBlock(
      confidence: .proved,
      text: "a block of the file system, which has none to give (ENOSPC: ext4 gave up after "
        + "\(Failure.ext4Teller)())")
  }

  /// The function that a file system runs only where it has no block; nil: it has none, or it is not
  /// hooked.
  static func teller(_ file: MappingEvidence.File) -> FunctionName? {
    switch file.filesystem {
    case "tmpfs", "devtmpfs": tmpfsTeller
    case "ext4", "ext3", "ext2": ext4Teller
    default: nil
    }
  }

  static let tmpfsTeller = "shmem_unused_huge_shrink"
  static let ext4Teller = "ext4_should_retry_alloc"

  private static let tmpfsAdvice = [
    "The tmpfs is full: remove what is not needed from it (df; in /dev/shm often segments of "
      + "processes that are gone), or make it larger (mount -o remount,size=…; \"docker run "
      + "--shm-size\", an emptyDir with medium Memory and a larger sizeLimit in Kubernetes).",
    "Allocate the segment when it is made (posix_fallocate), so that a full tmpfs is told there and "
      + "not at the first access.",
    "It is not full: see its quota (tmpfs(5): usrquota, grpquota) and Committed_AS against "
      + "CommitLimit in /proc/meminfo (vm.overcommit_memory=2).",
  ]
}
