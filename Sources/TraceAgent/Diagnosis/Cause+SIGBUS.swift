// SPDX-License-Identifier: Apache-2.0

import Model

// Page faults that ended in VM_FAULT_SIGBUS. The code is one for many reasons: the end of the file,
// a full file system, a userfaultfd handler that cannot be waited for, an I/O error, an empty pool
// of huge pages. Size, the file system's errno, and who returned the code tell them apart.
extension Cause {
  static let sigbusCauses: [Cause] = [
    Cause(
      "fault-beyond-eof", sites: ["H7a", "P12"],
      brief: "the file is shorter than the range: truncated, or never given its size",
      errnos: [.fault],
      check: "the file system's fault handler: page offset >= i_size, VM_FAULT_SIGBUS",
      advice: [
        "The mapping reaches beyond the end of the file. Give the file its size (ftruncate, "
          + "better posix_fallocate) before registering or accessing that part, or register only "
          + "what the file has.",
        "If the file had the size once, find who truncates it while it is mapped.",
      ],
      references: [
        "fs/dax.c: dax_iomap_pte_fault()", "mm/filemap.c: filemap_fault()",
        "mm/shmem.c: shmem_get_folio_gfp()", "mmap(2): SIGBUS",
      ], find: beyondEOF),
    Cause(
      "fault-no-space", sites: ["H7a", "P12"],
      brief: "the file system could not allocate the block that the page fault needs",
      errnos: [.fault],
      check: "the file system's fault handler: -ENOSPC or -EDQUOT for a hole, VM_FAULT_SIGBUS",
      advice: [
        "The file has a hole there, and its file system is full or its owner's quota is used up: "
          + "see df, df -i and quota.",
        "Allocate the blocks before registering (posix_fallocate), so that a full file system is "
          + "told there.",
      ],
      references: [
        "fs/dax.c: dax_iomap_fault()",
        "fs/ext4/file.c: ext4_dax_huge_fault(), fs/ext4/inode.c: ext4_page_mkwrite()",
        "fs/xfs/xfs_iomap.c: xfs_iomap_write_direct()", "mm/shmem.c: shmem_inode_acct_blocks()",
        "posix_fallocate(3)", "tmpfs(5)",
      ], find: noSpace),
    Cause(
      "fault-userfaultfd", sites: ["H7e", "P12"],
      brief: "the page waits for a userfaultfd handler, for which the kernel cannot wait here",
      errnos: [.fault],
      check: "handle_userfault(): VM_FAULT_SIGBUS without FAULT_FLAG_ALLOW_RETRY (HMM up to 7.2), "
        + "and always with UFFD_FEATURE_SIGBUS or UFFD_USER_MODE_ONLY",
      advice: [
        "The range is registered with userfaultfd. Up to 7.2 HMM cannot wait for the handler; from "
          + "7.3 on it does, unless the userfaultfd was opened with UFFD_FEATURE_SIGBUS or "
          + "UFFD_USER_MODE_ONLY.",
        "Fill the pages before registering or accessing them, or unregister the range from "
          + "userfaultfd.",
      ],
      references: [
        "fs/userfaultfd.c (7.3: mm/userfaultfd.c): handle_userfault()",
        "mm/hmm.c: hmm_vma_fault(), hmm_do_fault()", "userfaultfd(2)",
      ], find: userfaultfd),
    Cause(
      "fault-sigbus", sites: ["H7a", "P12"],
      brief: "the page fault ended in SIGBUS for another reason",
      errnos: [.fault],
      check: "the fault handler: VM_FAULT_SIGBUS within the file",
      advice: [
        "hugetlb: the pool is empty, or a limit of the mount or the control group is met; where it "
          + "is known which, the sentence says so. See HugePages_Free in /proc/meminfo.",
        "A file system: it could not give the page. See dmesg for I/O errors or a shutdown, and "
          + "df for space and quota.",
      ],
      references: [
        "fs/dax.c: dax_iomap_pte_fault()",
        "mm/hugetlb.c: hugetlb_no_page(), alloc_hugetlb_folio()",
        "Documentation/admin-guide/mm/hugetlbpage.rst",
      ],
      find: otherSIGBUS),
  ]

  @Sendable private static func beyondEOF(_ failure: Failure) -> Finding? {
    guard case .fault(let site) = failure.locus else { return pinBeyondEOF(failure) }
    // A page is told from others that cannot be faulted by its fault's code, or by the errno.
    guard site.result?.contains(.sigbus) ?? (failure.pinRequest?.errno != .nomem) else {
      return nil
    }
    var isExact = true
    let page: UInt64
    var size: UInt64?
    if let known = site.page, let isBeyond = site.witnessedBeyondEOF {
      guard isBeyond else { return nil }
      page = known
      size = site.fileSize
    } else if let known = site.page {
      guard failure.isBeyondEOF(known), site.entry?.kind != .hwpoison else { return nil }
      page = known
    } else {
      guard let mapping = failure.mapping(at: site.from),
        let first = failure.firstPageBeyondEOF(of: mapping), first < site.end
      else { return nil }
      // The first page to be faulted: no other can have failed before it.
      isExact = first <= site.from
      page = max(first, site.from)
    }
    size = size ?? failure.mapping(at: page)?.file?.size
    let sizeText = size.map { ": its size is \($0) bytes" } ?? ""
    return Finding(
      isExact && site.isCertain ? .proved : .inferred, page: page,
      because: "\(failure.place(page)) lies beyond the end of the file\(sizeText), and a fault "
        + "there is SIGBUS",
      links: failure.faultLinks(site, code: "VM_FAULT_SIGBUS"))
  }

  /// Nothing says where the pin stopped, but it had to stop behind the end of the file.
  private static func pinBeyondEOF(_ failure: Failure) -> Finding? {
    guard case .none = failure.locus, let request = failure.pinRequest, request.errno == .fault,
      !request.overflows, failure.pinRefusal == nil
    else { return nil }
    let end = request.address &+ request.size
    let pages = failure.operation.mappings.filter(\.found).compactMap { mapping in
      failure.firstPageBeyondEOF(of: mapping).map { max($0, request.firstPage) }
    }
    guard let page = pages.filter({ $0 < end }).min(), failure.isBeyondEOF(page) else { return nil }
    let size = failure.mapping(at: page)?.file?.size
    let sizeText = size.map { ": its size is \($0) bytes" } ?? ""
    return Finding(
      .inferred, page: page,
      because:
        "\(failure.place(page)) lies beyond the end of the file\(sizeText), where nothing can "
        + "be pinned, unless a page before it could not be either",
      links: [.init(function: "handle_mm_fault", result: .word("VM_FAULT_SIGBUS"), seen: .inferred)]
    )
  }

  /// VM_FAULT_SIGBUS says nothing of why; the errno behind it does.
  @Sendable private static func noSpace(_ failure: Failure) -> Finding? {
    guard case .fault(let site) = failure.locus, site.result?.contains(.sigbus) ?? true else {
      return nil
    }
    if site.error == nil, let found = noBlock(failure, site) { return found }
    let allocation = failure.layer("xfs_iomap_write_direct")
    guard let errno = site.error ?? allocation?.errno,
      [.nospc, .dquot].contains(errno)
    else { return nil }
    let what = site.page.map { "the fault of \(failure.place($0))" } ?? "a fault of the range"
    return Finding(
      .proved, page: site.page,
      because: "\(what) needs a block of the file system, which has none to give (\(errno))",
      links: failure.faultLinks(site, code: "VM_FAULT_SIGBUS"))
  }

  /// The file system itself was asked.
  private static func noBlock(_ failure: Failure, _ site: FaultSite) -> Finding? {
    guard let page = site.page, site.entry?.isDead != true, !failure.isUserfaultRange(page),
      failure.pinRequest.map({ $0.errno == .fault }) ?? true, let none = failure.noBlock(at: page)
    else { return nil }
    return Finding(
      site.isCertain ? none.confidence : .inferred, page: page,
      because: "the fault of \(failure.place(page)) needs \(none.text)",
      links: failure.faultLinks(site, code: "VM_FAULT_SIGBUS"), advice: none.advice)
  }

  @Sendable private static func userfaultfd(_ failure: Failure) -> Finding? {
    guard case .fault(let site) = failure.locus, let page = site.page, beyondEOF(failure) == nil
    else {
      return nil
    }
    let links = failure.faultLinks(site, code: "VM_FAULT_SIGBUS")
    if let seen = site.witnesses.last(where: { $0.witness == "handle_userfault" }) {
      guard VMFault(rawValue: seen.result).contains(.sigbus) else { return nil }
      // FAULT_FLAG_ALLOW_RETRY: the fault could have waited.
      let mayWait = seen.faultFlags.map { $0 & 4 != 0 } ?? failure.traits.faultsOutsideWalk
      return Finding(
        .proved, page: page,
        because: mayWait
          ? "the fault of \(failure.place(page)) is a userfaultfd's, which was opened so that such "
            + "faults end in SIGBUS instead of waiting for its handler (UFFD_FEATURE_SIGBUS or "
            + "UFFD_USER_MODE_ONLY)"
          : "the fault of \(failure.place(page)) would have to wait for a userfaultfd handler, which "
            + "this kernel's HMM cannot do",
        links: links, rejected: mayWait ? nil : .userfault)
    }
    // Unseen: HMM before 7.3 has no way to wait.
    guard !failure.traits.faultsOutsideWalk, failure.pinRequest == nil,
      failure.isUserfaultRange(page),
      let mapping = failure.mapping(at: page)
    else { return nil }
    // It is what must happen to a missing page of anonymous memory.
    let isMissing =
      mapping.flags.contains(.uffdMissing) && mapping.isAnonymous
      && site.entry?.kind == DecodedEntry.Kind.none
    guard site.result?.contains(.sigbus) ?? isMissing else { return nil }
    return Finding(
      site.result == nil ? .inferred : .proved, page: page,
      because: "the fault of \(failure.place(page)) would have to wait for a userfaultfd handler, "
        + "which this kernel's HMM cannot do",
      links: links, rejected: .userfault)
  }

  /// Only where the other reasons are excluded.
  @Sendable private static func otherSIGBUS(_ failure: Failure) -> Finding? {
    guard case .fault(let site) = failure.locus, site.result == .sigbus, let page = site.page,
      let mapping = failure.mapping(at: page), mapping.found, beyondEOF(failure) == nil,
      userfaultfd(failure) == nil, noSpace(failure) == nil
    else { return nil }
    if failure.isUserfaultRange(page) && !failure.wouldHaveSeen("handle_userfault") { return nil }
    if mapping.isHugeTLB, let backing = failure.backing(at: page),
      let shortage = HugePageShortage(backing, mapping, owner: failure.operation.owner)
    {
      return Finding(
        .proved, page: page, because: "the fault of \(failure.place(page)) \(shortage.text)",
        links: failure.faultLinks(site, code: "VM_FAULT_SIGBUS"), advice: shortage.advice)
    }
    var doubt = ""
    if let file = mapping.file, file.isRegular, !mapping.isHugeTLB, site.error == nil {
      // Of a full file system the errno tells: ext4 gives it to dax_iomap_fault(), XFS to its own
      // allocation. For memory that is not fsdax nobody does.
      let teller = file.filesystem == "xfs" ? xfsAllocation : "dax_iomap_fault"
      if !mapping.isFSDAX, let refuses = Failure.teller(file) {
        if !failure.wouldHaveSeen(refuses) { return nil }
        // It tells of blocks, not of quotas.
        if refuses != Failure.tmpfsTeller { doubt = ", unless its owner's quota is used up" }
      } else if !mapping.isFSDAX {
        doubt = ", unless the file system has no space left"
      } else if !failure.wouldHaveSeen(teller) {
        return nil
      }
    }
    let size = site.fileSize ?? mapping.file.flatMap { $0.isRegular ? $0.size : nil }
    let inside = size.map { ", within the file of \($0) bytes" } ?? ""
    let why = site.error.map { " (the file system: \($0))" } ?? ""
    return Finding(
      doubt.isEmpty ? .proved : .inferred, page: page,
      because: "the fault of \(failure.place(page)) ended in SIGBUS\(inside)\(why)\(doubt)",
      links: failure.faultLinks(site, code: "VM_FAULT_SIGBUS"))
  }

  private static let xfsAllocation = "xfs_iomap_write_direct"
}

extension Failure {
  func isUserfaultRange(_ page: UInt64) -> Bool {
    guard let mapping = mapping(at: page), mapping.found else { return false }
    return !mapping.flags.isDisjoint(with: [.uffdMissing, .uffdWP])
  }
}
