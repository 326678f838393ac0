// SPDX-License-Identifier: Apache-2.0

import Model

// Page faults that failed on HMM's or a pin's behalf. All but those of 7.3 that ran out of memory
// reach the caller as -EFAULT, so the fault's own code is needed, or a state of the page that
// leaves only one.
extension Cause {
  static let faultCauses: [Cause] = [
    Cause(
      "fault-beyond-eof", sites: ["H7a", "P12"],
      brief: "the file is shorter than the range: truncated, or never given its size",
      errnos: ["EFAULT"],
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
      "fault-hwpoison", sites: ["H7b", "P12"],
      brief: "the page fault met broken memory or a bad block",
      errnos: ["EFAULT"],
      check: "the fault handler met broken memory or a bad block: VM_FAULT_HWPOISON",
      advice: [
        "The memory or medium under this page is broken: see dmesg, and for persistent memory "
          + "\"ndctl list -M\" (bad blocks).",
        "A file: write the page anew or punch the hole (fallocate -p), then restore the data. "
          + "Otherwise map the page anew.",
      ],
      references: [
        "mm/memory.c: do_swap_page(), "
          + "handle_pte_marker()", "fs/dax.c: dax_fault_iter()", "ndctl-list(1)",
      ]
    ) { scene in
      scene.failedFault(code: "VM_FAULT_HWPOISON") { site in
        if let result = site.result {
          return result.isDisjoint(with: [.hwpoison, .hwpoisonLarge])
            ? nil : "met broken memory or a bad block"
        }
        switch site.entry?.kind {
        case .hwpoison: return "met the HWPOISON entry that memory_failure() left"
        case .marker(let marker) where marker.contains(.poisoned):
          return "met a POISONED marker: its data is lost"
        default: return nil
        }
      }
    },
    Cause(
      "fault-sigsegv", sites: ["H7d", "P10"],
      brief: "the page fault was not permitted: guard page, protection key, flags",
      errnos: ["EFAULT"],
      check: "handle_mm_fault(): VM_FAULT_SIGSEGV",
      advice: [
        "A guard (madvise MADV_GUARD_INSTALL): keep it out of the MR or remove it.",
        "Otherwise the mapping's protection key or flags forbid the access: see pkeys(7) and the "
          + "mapping's flags.",
      ],
      references: [
        "mm/memory.c: handle_mm_fault(), handle_pte_marker()", "pkeys(7)",
        "madvise(2): MADV_GUARD_INSTALL",
      ]
    ) { scene in
      scene.failedFault(code: "VM_FAULT_SIGSEGV") { site in
        var isGuard = false
        if case .marker(let marker)? = site.entry?.kind {
          isGuard = marker.contains(.guardRegion) && !marker.contains(.poisoned)
        }
        if let result = site.result, !result.contains(.sigsegv) { return nil }
        if isGuard { return "met a guard marker (MADV_GUARD_INSTALL)" }
        return site.result == nil ? nil : "is not permitted (VM_FAULT_SIGSEGV)"
      }
    },
    Cause(
      "fault-out-of-memory", sites: ["H7c", "P12"],
      brief: "the page fault found no memory, of the host or of its cgroup",
      errnos: ["EFAULT", "ENOMEM"],
      check: "handle_mm_fault(): VM_FAULT_OOM",
      advice: [
        "No page could be had for this fault: raise the memory limit of the cgroup (memory.max) or "
          + "free memory; dmesg and memory.events say which limit was met."
      ],
      references: ["mm/memory.c: handle_mm_fault()", "Documentation/admin-guide/cgroup-v2.rst"]
    ) { scene in
      scene.failedFault(code: "VM_FAULT_OOM") { site in
        if let result = site.result {
          return result.contains(.outOfMemory) ? "found no memory" : nil
        }
        // 7.3 keeps the code: vm_fault_to_errno() makes -ENOMEM of nothing else.
        let walk = scene.walks.first
        return walk?.function == "hmm_range_fault_locked"
          && walk?.result == -Int64(Errno.nomem.rawValue) ? "found no memory" : nil
      }
    },
    Cause(
      "fault-userfaultfd", sites: ["H7e"],
      brief: "the page waits for a userfaultfd handler, for which the kernel cannot wait here",
      errnos: ["EFAULT"],
      check: "handle_userfault() without FAULT_FLAG_ALLOW_RETRY: VM_FAULT_SIGBUS (up to 7.2)",
      advice: [
        "The range is registered with userfaultfd, and this kernel's HMM cannot wait for the "
          + "handler (7.3 can).",
        "Fill the pages before registering or accessing them, or unregister the range from "
          + "userfaultfd.",
      ],
      references: ["fs/userfaultfd.c: handle_userfault()", "mm/hmm.c: hmm_vma_fault()"]
    ) { scene in
      guard !scene.traits.faultsOutsideWalk, case .fault(let site) = scene.locus,
        let page = site.page, beyondEOF(scene) == nil, let mapping = scene.mapping(at: page),
        !mapping.flags.isDisjoint(with: [.uffdMissing, .uffdWP])
      else { return nil }
      // Unseen, it is still what must happen to a missing page of anonymous memory.
      let isMissing =
        mapping.flags.contains(.uffdMissing) && mapping.isAnonymous
        && site.entry?.kind == DecodedEntry.Kind.none
      guard site.result?.contains(.sigbus) ?? isMissing else { return nil }
      return Finding(
        site.result == nil ? .inferred : .proved, page: page,
        because: "the fault of \(scene.place(page)) would have to wait for a userfaultfd handler, "
          + "which this kernel's HMM cannot do",
        links: scene.faultLinks(site, code: "VM_FAULT_SIGBUS"))
    },
    Cause(
      "fault-no-space", sites: ["H7a", "P12"],
      brief: "the file system could not allocate the block that the page fault needs",
      errnos: ["EFAULT"],
      check: "the file system's fault handler: -ENOSPC or -EDQUOT for a hole, VM_FAULT_SIGBUS",
      advice: [
        "The file has a hole there, and its file system is full or its owner's quota is used up: "
          + "see df, df -i and quota.",
        "Allocate the blocks before registering (posix_fallocate), so that a full file system is "
          + "told there.",
      ],
      references: [
        "fs/dax.c: dax_iomap_fault()", "fs/ext4/file.c: ext4_dax_huge_fault()",
        "fs/xfs/xfs_iomap.c: xfs_iomap_write_direct()", "posix_fallocate(3)",
      ], find: noSpace),
    Cause(
      "fault-sigbus", sites: ["H7a", "P12"],
      brief: "the page fault ended in SIGBUS for another reason",
      errnos: ["EFAULT"],
      check: "the fault handler: VM_FAULT_SIGBUS within the file",
      advice: [
        "hugetlb: the pool is empty (MAP_NORESERVE, cgroup limit): see HugePages_Free in "
          + "/proc/meminfo.",
        "A file system: it could not give the page. See dmesg for I/O errors or a shutdown, and "
          + "df for space and quota.",
      ],
      references: ["fs/dax.c: dax_iomap_pte_fault()", "mm/hugetlb.c: hugetlb_no_page()"]
    ) { scene in
      guard case .fault(let site) = scene.locus, site.result == .sigbus, let page = site.page,
        let mapping = scene.mapping(at: page), mapping.found, beyondEOF(scene) == nil
      else { return nil }
      if !scene.traits.faultsOutsideWalk,
        !mapping.flags.isDisjoint(with: [.uffdMissing, .uffdWP])
      {
        return nil
      }
      let file = mapping.file.flatMap { $0.isRegular ? $0.size : nil }
      let size = site.witness?.fileSize ?? file
      let inside = size.map { ", within the file of \($0) bytes" } ?? ""
      return Finding(
        .proved, page: page,
        because: "the fault of \(scene.place(page)) ended in SIGBUS\(inside)",
        links: scene.faultLinks(site, code: "VM_FAULT_SIGBUS"))
    },
  ]

  /// VM_FAULT_SIGBUS says nothing of why; the errno behind it does.
  @Sendable private static func noSpace(_ scene: Case) -> Finding? {
    guard case .fault(let site) = scene.locus, site.result?.contains(.sigbus) ?? true else {
      return nil
    }
    let allocation = scene.layer("xfs_iomap_write_direct")
    let told = site.witness?.error.map { -Int64($0) } ?? allocation.map { -$0.result }
    guard let told, let errno = Errno(result: -told), [.nospc, .dquot].contains(errno) else {
      return nil
    }
    var links = scene.faultLinks(site, code: "VM_FAULT_SIGBUS")
    if let allocation {
      links.insert(
        .init(function: allocation.function, result: "-\(errno)", seen: .direct), at: 0)
    }
    let what = site.page.map { "the fault of \(scene.place($0))" } ?? "a fault of the range"
    return Finding(
      .proved, page: site.page,
      because: "\(what) needs a block of the file system, which has none to give (\(errno))",
      links: links)
  }

  @Sendable private static func beyondEOF(_ scene: Case) -> Finding? {
    guard case .fault(let site) = scene.locus, site.result?.contains(.sigbus) ?? true else {
      return nil
    }
    var isExact = true
    let page: UInt64
    var size: UInt64?
    if let known = site.page, let isBeyond = site.witnessedBeyondEOF {
      guard isBeyond else { return nil }
      page = known
      size = site.witness?.fileSize
    } else if let known = site.page {
      guard scene.isBeyondEOF(known), site.entry?.kind != .hwpoison else { return nil }
      page = known
    } else {
      guard let mapping = scene.mapping(at: site.from),
        let first = scene.firstPageBeyondEOF(of: mapping), first < site.end
      else { return nil }
      // The first page to be faulted: no other can have failed before it.
      isExact = first <= site.from
      page = max(first, site.from)
    }
    size = size ?? scene.mapping(at: page)?.file?.size
    let sizeText = size.map { ": its size is \($0) bytes" } ?? ""
    return Finding(
      isExact && site.isCertain ? .proved : .inferred, page: page,
      because: "\(scene.place(page)) lies beyond the end of the file\(sizeText), and a fault "
        + "there is SIGBUS",
      links: scene.faultLinks(site, code: "VM_FAULT_SIGBUS"))
  }
}

extension Case {
  /// A finding if a fault failed and `reason` says why; it follows "the fault of page …".
  fileprivate func failedFault(code: String, reason: (FaultSite) -> String?) -> Finding? {
    guard case .fault(let site) = locus, let why = reason(site) else { return nil }
    let what = site.page.map { "the fault of \(place($0))" } ?? "a fault of the range"
    return Finding(
      site.isCertain ? .proved : .inferred, page: site.page, because: "\(what) \(why)",
      links: faultLinks(site, code: code))
  }

  /// The fault handler that failed, and the function of HMM that called it.
  func faultLinks(_ site: FaultSite, code: String?) -> [Diagnosis.Link] {
    var links: [Diagnosis.Link] = []
    if let witness = site.witness, let result = site.result {
      let functions = [
        "dax_pte_fault_done": "dax_iomap_pte_fault", "dax_pmd_fault_done": "dax_iomap_pmd_fault",
      ]
      links.append(
        .init(
          function: functions[witness.witness] ?? witness.witness,
          result: VMFault.names(result.rawValue).joined(separator: "|"), seen: .direct))
    } else if let code {
      links.append(.init(function: "handle_mm_fault", result: code, seen: .inferred))
    }
    if let walk = walks.first, let errno = Errno(result: walk.result) {
      links.append(
        .init(
          function: traits.faultsOutsideWalk ? "hmm_do_fault" : "hmm_vma_fault",
          result: "-\(errno)", seen: .replayed))
    }
    return links
  }
}
