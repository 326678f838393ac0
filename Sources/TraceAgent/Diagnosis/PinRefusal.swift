// SPDX-License-Identifier: Apache-2.0

import Model

/// What a pinned registration asked of ib_umem_get() (7.x: __ib_umem_get_va()).
struct PinRequest: Sendable {
  var function: FunctionName
  var errno: Errno
  var address: UInt64
  var size: UInt64
  var access: AccessFlags

  var firstPage: UInt64 { Case.page(of: address) }
  /// addr + size wraps, or its page end does.
  var overflows: Bool {
    let (end, wraps) = address.addingReportingOverflow(size)
    return wraps || (end &+ 4095) & ~4095 < end
  }
  /// ib_umem_num_pages()
  var pages: UInt64 { ((address &+ size &+ 4095) & ~4095 &- firstPage) >> 12 }
}

/// The first mapping of a range that a long-term pin refuses.
struct PinRefusal: Sendable {
  enum Reason: Sendable {
    case missing, device, peer, fsdax, secret, fileBacked, notWritable, notReadable

    /// What __get_user_pages() and check_vma_flags() return.
    var errno: Errno { self == .fsdax ? .opnotsupp : .fault }
  }
  var reason: Reason
  /// First page of the range in it.
  var page: UInt64
  var mapping: MappingEvidence
}

extension Case {
  var pinRequest: PinRequest? {
    guard let layer = layer("ib_umem_get", "__ib_umem_get_va"), layer.arguments.count >= 4,
      let errno = Errno(result: layer.result)
    else { return nil }
    return PinRequest(
      function: layer.function, errno: errno, address: layer.arguments[1],
      size: layer.arguments[2],
      access: AccessFlags(rawValue: UInt32(truncatingIfNeeded: layer.arguments[3])))
  }

  /// GUP goes through the range in order, so the first refused mapping is the one that decided.
  var pinRefusal: PinRefusal? {
    guard let request = pinRequest, !request.overflows else { return nil }
    let end = request.address &+ request.size
    let inRange = operation.mappings.filter {
      $0.address >= request.firstPage && $0.address < end
    }
    for mapping in inRange.sorted(by: { $0.address < $1.address }) {
      if let reason = refusal(of: mapping, for: request) {
        return PinRefusal(reason: reason, page: Case.page(of: mapping.address), mapping: mapping)
      }
    }
    return nil
  }

  /// check_vma_flags() of mm/gup.c for FOLL_LONGTERM, in its order.
  private func refusal(of mapping: MappingEvidence, for request: PinRequest) -> PinRefusal.Reason? {
    guard mapping.found else { return .missing }
    let flags = mapping.flags
    if !flags.isDisjoint(with: [.io, .pfnMap]) {
      return mapping.file?.isAccelerator == true ? .peer : .device
    }
    if mapping.isFSDAX { return .fsdax }
    if mapping.file?.filesystem == "secretmem" { return .secret }
    let forced = traits.pinsForWriteAlways && !request.access.isWritable
    guard request.access.isWritable || forced else {
      return flags.contains(.read) ? nil : .notReadable
    }
    if traits.refusesFilePins && needsDirtyTracking(mapping) { return .fileBacked }
    if flags.contains(.write) { return nil }
    // FOLL_FORCE still breaks copy-on-write: private mappings pass, hugetlb's do not.
    let copiesOnWrite = flags.contains(.mayWrite) && !flags.contains(.shared)
    return forced && copiesOnWrite && !mapping.isHugeTLB ? nil : .notWritable
  }

  /// vma_needs_dirty_tracking(): a shared writable mapping of a file system that is told of writes.
  private func needsDirtyTracking(_ mapping: MappingEvidence) -> Bool {
    guard let file = mapping.file, file.isRegular, mapping.flags.contains([.shared, .write]) else {
      return false
    }
    return Case.trackingFileSystems.contains(file.filesystem)
  }

  /// File systems whose mappings have page_mkwrite.
  private static let trackingFileSystems: Set<String> = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "nfs", "nfs4", "cifs", "smb3",
    "fuse",
    "fuseblk", "virtiofs", "9p", "ceph", "gfs2", "ocfs2", "nilfs2", "ubifs", "zonefs", "orangefs",
  ]

  /// A finding if the pin was refused for `reason`, with the errno that this gives.
  func pin(_ reason: PinRefusal.Reason, text: (PinRefusal) -> String) -> Finding? {
    // A fault that was seen to fail came before any refusal.
    guard case .none = locus, let request = pinRequest, request.errno == reason.errno,
      !request.access.contains(.onDemand), let refusal = pinRefusal, refusal.reason == reason
    else { return nil }
    let function = reason == .missing ? "__get_user_pages" : "check_vma_flags"
    return Finding(
      .proved, page: refusal.page, because: text(refusal),
      links: [.init(function: function, result: "-\(request.errno)", seen: .replayed)])
  }
}
