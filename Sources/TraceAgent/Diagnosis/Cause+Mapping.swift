// SPDX-License-Identifier: Apache-2.0

import Model

// Mappings that HMM refuses as a whole (hmm_vma_walk_test(), hmm_vma_walk_hole(), hmm_vma_fault()),
// and that a long-term pin refuses for the same reason (check_vma_flags()).
extension Cause {
  static let mappingCauses: [Cause] = [
    Cause(
      "mapping-missing", sites: ["H1", "H12", "P6"],
      brief: "nothing is mapped there: unmapped, freed, or the MR is longer than the mapping",
      errnos: [.fault],
      check: "hmm_vma_walk_hole(): !walk->vma; __get_user_pages(): no VMA",
      advice: [
        "Nothing is mapped there: it was unmapped or freed while the MR still covered it, or the "
          + "MR is longer than the mapping. Check the length, and deregister before freeing.",
        "A library that frees behind your back (allocator trimming, fork and madvise) is found by "
          + "the user stack of the unmapping call: strace -e munmap,mremap,brk.",
      ],
      references: [
        "mm/hmm.c: hmm_vma_walk_hole(), hmm_do_fault()", "mm/gup.c: __get_user_pages()",
      ]
    ) { failure in
      switch failure.locus {
      case .gap(let page):
        return Finding(
          .proved, page: page,
          because:
            "no mapping holds page \(hex(page))\(failure.gap(page))\(failure.notCopied(page))",
          links: [.init(function: "hmm_vma_walk_hole", result: .errno(.fault), seen: .replayed)],
          advice: failure.adviceForChild(page))
      case .vanished(let page):
        return Finding(
          .proved, page: page,
          because: "the mapping of page \(hex(page)) went away before it could be faulted in"
            + failure.gap(page),
          links: [.init(function: "hmm_do_fault", result: .errno(.fault), seen: .replayed)])
      default:
        var found = failure.pin(.missing) { refusal in
          "no mapping holds page \(hex(refusal.page))\(failure.gap(refusal.page))"
            + failure.notCopied(refusal.page)
        }
        let page = found?.page
        found?.advice = page.flatMap(failure.adviceForChild)
        return found
      }
    },
    Cause(
      "mapping-device", sites: ["H2", "P5"],
      brief: "the mapping is a device's memory (VM_IO, VM_PFNMAP)",
      errnos: [.fault],
      check:
        "hmm_vma_walk_test(), check_vma_flags(): vm_flags & (VM_IO | VM_PFNMAP)",
      advice: [
        "This is a device's memory (a PCI BAR, a GPU, /dev/mem), mapped without struct pages: it "
          + "cannot be registered by address.",
        "Use the driver's dma-buf export with ibv_reg_dmabuf_mr(), or a peer-memory module of the "
          + "device's vendor, or copy through ordinary memory.",
      ],
      references: [
        "mm/hmm.c: hmm_vma_walk_test()", "mm/gup.c: check_vma_flags()", "ibv_reg_dmabuf_mr(3)",
      ]
    ) { failure in
      let text = { (page: UInt64, mapping: MappingEvidence) in
        "\(failure.place(page)) is device memory: its mapping has "
          + "\(list(VMAFlags.names(mapping.vmFlags & VMAFlags([.io, .pfnMap]).rawValue, of: nil))) set"
      }
      return failure.refusedMapping(.device, text: text)
        ?? failure.pin(.device) { text($0.page, $0.mapping) }
    },
    Cause(
      "mapping-not-readable", sites: ["H2", "P7"],
      brief: "the mapping may not be read: PROT_NONE, write-only or execute-only",
      errnos: [.fault],
      check: "hmm_vma_walk_test(), check_vma_flags(): !(vm_flags & VM_READ)",
      advice: [
        "The mapping is PROT_NONE, write-only or execute-only: mprotect() it readable before the "
          + "MR is used, or keep it out of the MR (guard pages of allocators and stacks are "
          + "PROT_NONE)."
      ],
      references: ["mm/hmm.c: hmm_vma_walk_test()", "mm/gup.c: check_vma_flags()"]
    ) { failure in
      let text = { (page: UInt64) in
        "\(failure.place(page)) may not be read: its mapping has no VM_READ"
      }
      return failure.refusedMapping(.notReadable) { page, _ in text(page) }
        ?? failure.pin(.notReadable) { text($0.page) }
    },
    Cause(
      "mapping-mixedmap", sites: ["H2"],
      brief: "the mapping is VM_MIXEDMAP, which this old kernel refuses as a whole",
      errnos: [.fault],
      check:
        "hmm_vma_walk_test(): vm_flags & VM_MIXEDMAP (before 5.10.94 and 5.17, and where that fix is lacking)",
      advice: [
        "Run a kernel with 87c01d57fa23 (5.10.94, 5.17 or later), which looks at the pages instead "
          + "of refusing the mapping."
      ],
      references: [
        "mm/hmm.c: hmm_vma_walk_test()",
        "commit 87c01d57fa23 (mm/hmm.c: allow VM_MIXEDMAP to work with hmm_range_fault)",
      ]
    ) { failure in
      // Of what any kernel refuses there, this is all that the mapping has: whatever its version says.
      guard case .refusedMapping(let page) = failure.locus, let mapping = failure.mapping(at: page),
        mapping.found, mapping.flags.contains(.mixedMap),
        HMMRules(failure.traits).refusal(of: mapping.flags.subtracting(.mixedMap)) == nil
      else { return nil }
      return Finding(
        .proved, page: page,
        because: "\(failure.place(page)) is in a VM_MIXEDMAP mapping, which this kernel's "
          + "hmm_vma_walk_test() refuses",
        rejected: .mapping(mapping.flags))
    },
    Cause(
      "mapping-not-writable", sites: ["H8", "P7"],
      brief: "write access was asked for, and the mapping is read-only",
      errnos: [.perm, .fault],
      check:
        "hmm_vma_fault() (7.3: hmm_do_fault()), check_vma_flags(): write wanted and !(vm_flags & "
        + "VM_WRITE)",
      advice: [
        "Map the memory PROT_READ|PROT_WRITE (a file: open it for writing), or register it "
          + "without LOCAL_WRITE, REMOTE_WRITE and REMOTE_ATOMIC if nobody writes to it.",
        "An on-demand registration of read-only memory succeeds even with LOCAL_WRITE: the error "
          + "comes at the first write.",
      ],
      references: ["mm/hmm.c: hmm_vma_fault(), hmm_do_fault()", "mm/gup.c: check_vma_flags()"]
    ) { failure in
      if case .notWritable(let page) = failure.locus {
        guard let mapping = failure.mapping(at: page), mapping.found,
          HMMRules(failure.traits).refusesWrite(to: mapping.flags)
        else { return nil }
        return Finding(
          .proved, page: page,
          because: "\(failure.place(page)) may not be written: write access was asked for, and its "
            + "mapping has no VM_WRITE",
          links: [
            .init(
              function: failure.traits.faultsOutsideWalk ? "hmm_do_fault" : "hmm_vma_fault",
              result: .errno(.perm), seen: .replayed)
          ], rejected: .write(mapping.flags))
      }
      return failure.pin(.notWritable) { refusal in
        let writes = failure.pinRequest?.access.isWritable ?? true
        return
          "\(failure.place(refusal.page)) may not be written: its mapping has no VM_WRITE, and "
          + (writes
            ? "the MR is writable"
            : "this kernel pins even a read-only MR for writing, which a shared mapping does not "
              + "allow")
      }
    },
  ]
}

extension Failure {
  /// An ancestor has kept the mapping of `page` for itself.
  private func kept(_ page: UInt64) -> ForkedEvidence? {
    operation.forked.last { Failure.page(of: $0.address) == page }
  }

  /// Ends the sentence where the process is a child that was not given its parent's memory.
  fileprivate func notCopied(_ page: UInt64) -> String {
    guard let kept = kept(page) else { return "" }
    let who = kept.generation == 1 ? "its parent" : "the process that its parent was forked by"
    var text =
      ". The process is a child: \(who), pid \(kept.pid) (\(kept.comm)), has memory there that "
      + "children do not get (DONTCOPY, of madvise(MADV_DONTFORK))"
    if let address = kept.registration?.address, let length = kept.registration?.length {
      text +=
        ", and had registered \(count(length, "byte")) from \(hex(address)) on before it forked"
    }
    return text
  }

  fileprivate func adviceForChild(_ page: UInt64) -> [String]? {
    guard kept(page) != nil else { return nil }
    return [
      "A child has no memory that its parent had registered: libibverbs takes it from children where "
        + "the program or its environment asks for that (ibv_fork_init(), RDMAV_FORK_SAFE, "
        + "IBV_FORK_SAFE). Allocate the buffer in the child, or share it by MAP_SHARED memory that is "
        + "not registered before fork().",
      "On kernels since 5.12, with an rdma-core that asks them, pinned pages are copied at fork() and "
        + "nothing is withheld: leave ibv_fork_init() and RDMAV_FORK_SAFE out.",
      "An MR is its process's: register in the child what the child uses, after fork().",
    ]
  }

  /// A finding if hmm_vma_walk_test() failed, and the mapping's flags are such that it must, for
  /// `reason`.
  fileprivate func refusedMapping(
    _ reason: HMMRules.MappingRefusal, text: (UInt64, MappingEvidence) -> String
  ) -> Finding? {
    guard case .refusedMapping(let page) = locus, let mapping = mapping(at: page), mapping.found,
      HMMRules(traits).refusal(of: mapping.flags) == reason
    else { return nil }
    return Finding(
      .proved, page: page, because: text(page, mapping), rejected: .mapping(mapping.flags))
  }
}
