// SPDX-License-Identifier: Apache-2.0

import Model

// Page faults that failed on HMM's or a pin's behalf, but for SIGBUS. HMM makes -EFAULT of every
// code before 7.3, and of all but VM_FAULT_OOM from then on; a pin keeps -ENOMEM on all kernels. So
// the fault's own code is needed, or a state of the page that leaves only one.
extension Cause {
  static let faultCauses: [Cause] = [
    Cause(
      "fault-hwpoison", sites: ["H7b", "P12"],
      brief: "the page fault met broken memory or a bad block",
      errnos: [.fault],
      check: "the fault handler met broken memory or a bad block: VM_FAULT_HWPOISON",
      advice: brokenMemory,
      references: [
        "mm/memory.c: do_swap_page(), "
          + "handle_pte_marker()", "fs/dax.c: dax_fault_iter()", "ndctl-list(1)",
      ]
    ) { failure in
      var found = failure.failedFault(code: "VM_FAULT_HWPOISON") { site in
        if let result = site.result {
          if result.isDisjoint(with: [.hwpoison, .hwpoisonLarge]) { return nil }
          return failure.mayBeUserPoison(site.page, site.entry)
            ? "met a POISONED marker, which UFFDIO_POISON leaves as well as broken memory"
            : "met broken memory or a bad block"
        }
        switch site.entry?.kind {
        case .hwpoison: return "met the HWPOISON entry that memory_failure() left"
        case .marker(let marker) where marker.contains(.poisoned):
          return failure.mayBeUserPoison(site.page, site.entry)
            ? "met a POISONED marker, which UFFDIO_POISON leaves as well as broken memory"
            : "met a POISONED marker: its data is lost"
        default: return nil
        }
      }
      if case .fault(let site) = failure.locus, failure.mayBeUserPoison(site.page, site.entry) {
        found?.advice = [userPoison] + brokenMemory
      }
      return found
    },
    Cause(
      "fault-sigsegv", sites: ["H7d", "P10"],
      brief: "the page fault was not permitted: guard page, protection key, flags",
      errnos: [.fault],
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
    ) { failure in
      failure.failedFault(code: "VM_FAULT_SIGSEGV") { site in
        var isGuard = false
        if case .marker(let marker)? = site.entry?.kind {
          isGuard = marker.contains(.guardRegion) && !marker.contains(.poisoned)
        }
        if let result = site.result, !result.contains(.sigsegv) { return nil }
        if isGuard { return "met a guard marker (MADV_GUARD_INSTALL)" }
        return site.result == nil ? nil : "is not permitted (VM_FAULT_SIGSEGV)"
      }
        ?? failure.keyRefused()
    },
    Cause(
      "fault-out-of-memory", sites: ["H7c", "P12"],
      brief: "the page fault found no memory, of the host or of its cgroup",
      errnos: [.fault, .nomem],
      check: "handle_mm_fault(): VM_FAULT_OOM",
      advice: [
        "No page could be had for this fault: raise the memory limit of the cgroup (memory.max) or "
          + "free memory; dmesg and memory.events say which limit was met."
      ],
      references: ["mm/memory.c: handle_mm_fault()", "Documentation/admin-guide/cgroup-v2.rst"]
    ) { failure in
      failure.failedFault(code: "VM_FAULT_OOM") { site in
        if let result = site.result {
          return result.contains(.outOfMemory) ? "found no memory" : nil
        }
        // 7.3 keeps the code: vm_fault_to_errno() makes -ENOMEM of nothing else.
        let walk = failure.walks.first
        return walk?.function == "hmm_range_fault_locked"
          && walk?.errno == .nomem ? "found no memory" : nil
      }
        ?? failure.pinWithoutMemory()
    },
  ]
}

extension Cause {
  fileprivate static let brokenMemory = [
    "The memory or medium under this page is broken: see dmesg, and for persistent memory "
      + "\"ndctl list -M\" (bad blocks).",
    "A file: write the page anew or punch the hole (fallocate -p), then restore the data. "
      + "Otherwise map the page anew.",
  ]

  /// Goes first where a userfaultfd serves the mapping.
  static let userPoison =
    "A userfaultfd serves this mapping, so the marker may be its handler's, set with UFFDIO_POISON "
    + "(a virtual machine's monitor does so for a page that was lost at the source of a migration): "
    + "ask that program first. Nothing in dmesg says that memory is broken then."
}

extension Failure {
  /// A poison marker where a userfaultfd may have set it.
  func mayBeUserPoison(_ page: UInt64?, _ entry: DecodedEntry?) -> Bool {
    guard let page, case .marker(let marker)? = entry?.kind, marker.contains(.poisoned),
      let mapping = mapping(at: page), mapping.found
    else { return false }
    return mapping.flags.hasUserfaultfd(on: kernel)
  }

  /// A finding if a fault failed and `reason` says why; it follows "the fault of page …".
  fileprivate func failedFault(code: String, reason: (FaultSite) -> String?) -> Finding? {
    guard case .fault(let site) = locus, let why = reason(site) else { return nil }
    let what = site.page.map { "the fault of \(place($0))" } ?? "a fault of the range"
    return Finding(
      site.isCertain ? .proved : .inferred, page: site.page, because: "\(what) \(why)",
      links: faultLinks(site, code: code))
  }

  /// Of a pin's -ENOMEM, the limit and the migration are told by themselves; left are a fault, where
  /// pages are missing, and the kernel's own lists, which are small.
  fileprivate func pinWithoutMemory() -> Finding? {
    guard case .fault(let site) = locus, site.witnesses.isEmpty, let page = site.page,
      let request = pinRequest, request.errno == .nomem, isWithinMemlock(request),
      !operation.layers.contains(where: { $0.function == "migrate_pages" })
    else { return nil }
    return Finding(
      .inferred, page: page,
      because:
        "the fault of \(place(page)) found no memory, unless the kernel had none for its own "
        + "lists",
      links: faultLinks(site, code: "VM_FAULT_OOM"))
  }

  /// check_vma_flags(): !arch_vma_access_permitted(). What the thread's own register allows is not
  /// known, so it is a matter of what else is excluded.
  fileprivate func keyRefused() -> Finding? {
    guard let request = pinRequest, request.errno == .fault, !request.overflows, pinRefusal == nil
    else { return nil }
    let end = request.address &+ request.size
    let mapping: MappingEvidence?
    switch locus {
    case .none:
      mapping = operation.mappings.filter {
        $0.found && $0.flags.protectionKey != 0 && $0.end > request.firstPage && $0.start < end
      }.min { $0.start < $1.start }
    case .fault(let site) where site.witnesses.isEmpty:
      guard let page = site.page, !isBeyondEOF(page), site.entry?.isDead != true else { return nil }
      mapping = self.mapping(at: page)
    default: return nil
    }
    guard let mapping, mapping.found, mapping.flags.protectionKey != 0 else { return nil }
    let page = max(mapping.start, request.firstPage)
    return Finding(
      .inferred, page: page,
      because: "\(place(page)) has protection key \(mapping.flags.protectionKey), to which the "
        + "registering thread seems to have no access: nothing else there refuses the pin",
      links: [
        .init(function: "arch_vma_access_permitted", result: .word("false"), seen: .inferred),
        .init(function: "check_vma_flags", result: .errno(.fault), seen: .inferred),
      ])
  }

  /// The fault handlers that failed, the deepest first, and the function of HMM that called them.
  func faultLinks(_ site: FaultSite, code: String?) -> [Diagnosis.Link] {
    let functions = [
      "dax_pte_fault_done": "dax_iomap_pte_fault", "dax_pmd_fault_done": "dax_iomap_pmd_fault",
    ]
    var links = site.witnesses.map { witness in
      let result = VMFault(rawValue: witness.result).intersection(.failures)
      return Diagnosis.Link(
        function: functions[witness.witness] ?? witness.witness,
        result: .word(VMFault.names(result.rawValue).joined(separator: "|")), seen: .direct)
    }
    if links.isEmpty, let code {
      links.append(.init(function: "handle_mm_fault", result: .word(code), seen: .inferred))
    }
    if let walk = walks.first, let errno = walk.errno {
      links.append(
        .init(
          function: traits.faultsOutsideWalk ? "hmm_do_fault" : "hmm_vma_fault",
          result: .errno(errno), seen: .replayed))
    }
    return links
  }
}

extension DecodedEntry {
  /// No fault can bring this page back.
  var isDead: Bool {
    switch kind {
    case .hwpoison, .swapinError: return true
    case .marker(let marker): return !marker.isDisjoint(with: [.poisoned, .guardRegion])
    default: return false
    }
  }
}

extension VMAFlags {
  /// x86: VM_PKEY_BIT0 to 3 are VM_HIGH_ARCH_BIT_0 to 3.
  var protectionKey: UInt64 { rawValue >> 32 & 15 }
}
