// SPDX-License-Identifier: Apache-2.0

import Model

// Entries that HMM rejects without trying a fault (mm/hmm.c).
extension Cause {
  /// "5.15, 5.14.6, 5.13.19 or 5.10.67"
  private static let fixedReleases: String = {
    let names = DevmapFix.newestFirst
    return "\(names.dropLast().joined(separator: ", ")) or \(names[names.count - 1])"
  }()

  static let pteCauses: [Cause] = [
    Cause(
      "pte-special-devmap", sites: ["H3a"],
      brief:
        "a special+devmap PTE of an fsdax file was rejected although the page was there as asked: the bug of 2021",
      errnos: [.fault],
      check:
        "hmm_vma_handle_pte(): pte_special() && !is_zero_pfn(), without the exception for "
        + "pte_devmap()",
      advice: [
        "Run a kernel with the fix: \(fixedReleases), or later ones.",
        "Until then have the file mapped by 2 MiB entries, which are not affected: extents and "
          + "mapping aligned to 2 MiB (mkfs.ext4 -E stride=512,stripe_width=512 or mkfs.xfs -d "
          + "su=2m,sw=1, then fallocate).",
        "Or use device-dax instead of fsdax. Registering without ON_DEMAND is no way out: the "
          + "kernel refuses to pin fsdax pages.",
      ],
      references: [
        "mm/hmm.c: hmm_vma_handle_pte()",
        "commit \(DevmapFix.commit) (\(DevmapFix.subject))",
        "https://github.com/pmem/rpma/issues/1142",
      ]
    ) { failure in
      failure.refusedEntry(.specialDevmap) { refused in
        "is mapped by a PTE with \(list(refused.softFlags)) set, and this kernel's "
          + "hmm_vma_handle_pte() takes every special PTE for one without a struct page (the 2021 "
          + "fsdax bug, fixed by \(DevmapFix.commit) in "
          + "\(DevmapFix.newestFirst.joined(separator: ", ")))"
      }
    },
    Cause(
      "pte-special", sites: ["H3", "P11"],
      brief: "the page is a raw page frame without struct page",
      errnos: [.fault, .exist],
      check: "hmm_vma_handle_pte(): !vm_normal_page() && !is_zero_pfn()",
      advice: [
        "This memory is a device's or firmware's: it has no struct page, and the kernel cannot "
          + "lend it to an RDMA device by address. Register it as a dma-buf (ibv_reg_dmabuf_mr) "
          + "if its driver exports one.",
        "Otherwise copy through ordinary memory.",
      ],
      references: ["mm/hmm.c: hmm_vma_handle_pte()", "mm/memory.c: vm_normal_page()"]
    ) { failure in
      failure.refusedEntry(.special) { refused in
        "is mapped by a PTE with \(list(refused.softFlags)) set: raw memory without a struct page, "
          + "which hmm_vma_handle_pte() rejects"
      }
        ?? failure.pinnedSpecial()
    },
    Cause(
      "pte-hwpoison", sites: ["H4"],
      brief: "the page-table entry marks broken memory",
      errnos: [.fault],
      check: "hmm_vma_handle_pte(): a non-present entry that is neither swap, device nor migration",
      advice: [
        "The memory under this page is broken and its data is lost: see dmesg and rasdaemon for "
          + "the address.",
        "Replace the page by unmapping and mapping it again (a file: restore its data), or "
          + "restart the process; replace the memory module if it comes back.",
      ],
      references: [
        "mm/hmm.c: hmm_vma_handle_pte()", "mm/memory-failure.c: memory_failure()",
        "Documentation/mm/hwpoison.rst",
      ]
    ) { failure in
      failure.refusedEntry(.hwpoison) { _ in
        "holds the HWPOISON entry that memory_failure() leaves for broken memory, and "
          + "hmm_vma_handle_pte() rejects it"
      }
        ?? failure.refusedEntry(.swapinError) { _ in
          "could not be read back from swap (its PTE is SWAPIN_ERROR), and hmm_vma_handle_pte() "
            + "rejects it"
        }
    },
    Cause(
      "pte-marker", sites: ["H4"],
      brief: "the page-table entry is a guard or poison marker",
      errnos: [.fault],
      check: "hmm_vma_handle_pte(): a PTE marker other than userfaultfd's (7.0 and later)",
      advice: markers,
      references: [
        "mm/hmm.c: hmm_vma_handle_pte()", "madvise(2): MADV_GUARD_INSTALL",
        "include/linux/swapops.h: PTE_MARKER_GUARD, PTE_MARKER_POISONED",
      ]
    ) { failure in
      var found = failure.refusedEntry(.marker) { refused in
        "holds the PTE marker \(list(refused.entry.flags)), which hmm_vma_handle_pte() rejects"
      }
      if case .refusedEntry(let refused) = failure.locus,
        failure.mayBeUserPoison(refused.page, refused.entry)
      {
        found?.advice = [userPoison] + markers
      }
      return found
    },
    Cause(
      "pte-device-private", sites: ["H4", "H5"],
      brief: "the page lives in another device's memory",
      errnos: [.fault],
      check: "hmm_vma_handle_pte(): a device-private entry of another owner (before 5.19)",
      advice: [
        "The page lives in the memory of another device (a GPU). Let that device's runtime move "
          + "it back, or touch it with the CPU, before registering or accessing it.",
        "Newer kernels (6.1) fault such pages back by themselves.",
      ],
      references: ["mm/hmm.c: hmm_vma_handle_pte()", "Documentation/mm/hmm.rst"]
    ) { failure in
      failure.refusedEntry(.devicePrivate) { refused in
        "has been moved to the memory of another device (\(list(refused.entry.flags))), and this "
          + "kernel's hmm_vma_handle_pte() does not bring it back"
      }
    },
    Cause(
      "pmd-unexpected", sites: ["H5", "H6"],
      brief: "the PMD is neither a table, a huge page nor empty",
      errnos: [.fault],
      check: "hmm_vma_walk_pmd(): !pmd_present() and no migration, or pmd_bad()",
      advice: [
        "A PMD that is neither a table nor a huge page is a sign of a kernel bug or of broken "
          + "memory: look in dmesg for \"bad pmd\" and report it with this recording."
      ],
      references: ["mm/hmm.c: hmm_vma_walk_pmd(), hmm_vma_handle_absent_pmd()"]
    ) { failure in
      failure.refusedEntry(.pmdBad, in: "hmm_vma_walk_pmd") { refused in
        "lies under the PMD \(hex(refused.entry.raw)), which is neither a table nor a huge page"
      }
        ?? failure.refusedEntry(.pmdNotPresent, in: "hmm_vma_walk_pmd") { refused in
          "lies under the non-present PMD \(hex(refused.entry.raw)) (\(list(refused.entry.flags)))"
        }
    },
  ]
}

extension Failure {
  /// follow_page_pte() of mm/gup.c: a present PTE without struct page, where the caller wants pages, is -EEXIST.
  /// Only VM_MIXEDMAP mappings hold such; the rest of check_vma_flags() has let it pass.
  fileprivate func pinnedSpecial() -> Finding? {
    guard case .none = locus, let request = pinRequest, request.errno == .exist,
      !request.overflows
    else { return nil }
    let end = request.address &+ request.size
    let mixed = operation.mappings.filter {
      $0.found && $0.address >= request.firstPage && $0.address < end
        && $0.flags.contains(.mixedMap)
    }
    guard let mapping = mixed.min(by: { $0.address < $1.address }) else { return nil }
    let page = Failure.page(of: mapping.address)
    guard let entry = tables.lowest(at: page), entry.isPresentLeaf, entry.isSpecial,
      !entry.isDevmap, entry.pfn != traits.zeroPFN
    else { return nil }
    return Finding(
      .proved, page: page,
      because:
        "\(place(page)) is mapped by a PTE with SPECIAL set: raw memory without a struct page, "
        + "which cannot be pinned",
      links: [.init(function: "follow_page_pte", result: .errno(.exist), seen: .replayed)])
  }
}

extension RefusedEntry {
  /// The software bits that decided.
  fileprivate var softFlags: [String] {
    entry.flags.filter { $0 == "SPECIAL" || $0 == "DEVMAP" }
  }
}

extension Failure {
  /// A finding if HMM stopped at an entry for `reason`; `text` follows the page's name.
  fileprivate func refusedEntry(
    _ reason: RefusedEntry.Reason, in function: String = "hmm_vma_handle_pte",
    text: (RefusedEntry) -> String
  ) -> Finding? {
    guard case .refusedEntry(let refused) = locus, refused.reason == reason else { return nil }
    var because = "\(place(refused.page)) \(text(refused))"
    if let doubt = refused.doubt { because += ", \(doubt)" }
    return Finding(
      refused.doubt == nil ? .proved : .inferred, page: refused.page, because: because,
      links: [.init(function: function, result: .errno(.fault), seen: .replayed)],
      rejected: .entry(refused))
  }
}

extension Cause {
  fileprivate static let markers = [
    "GUARD: the range was made inaccessible with madvise(MADV_GUARD_INSTALL), by the program "
      + "or its allocator (thread stacks): keep it out of the MR or remove the guard.",
    "POISONED: the page's data is lost, by a memory error or by UFFDIO_POISON.",
  ]
}
