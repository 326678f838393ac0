// SPDX-License-Identifier: Apache-2.0

import Model

// Checks of mappings, page-table entries and page faults: HMM (mm/hmm.c, only where a fault was asked
// for) and pinning (drivers/infiniband/core/umem.c, mm/gup.c).
extension Site {
  static let hmmSites: [Site] = [
    Site(
      "H1", [.prefetch, .pageFault], [.fault], check: "hmm_vma_walk_hole(): !walk->vma",
      evidence: "hmm_vma_walk_hole() failed where no mapping is"),
    Site(
      "H2", [.prefetch, .pageFault], [.fault],
      check:
        "hmm_vma_walk_test(): VM_IO | VM_PFNMAP, or !VM_READ; VM_MIXEDMAP before 5.10.94 and 5.17",
      evidence: "hmm_vma_walk_test() failed; the mapping's flags"),
    Site(
      "H3", [.prefetch, .pageFault], [.fault],
      check:
        "hmm_vma_handle_pte(): !vm_normal_page() && !is_zero_pfn(), and !pte_devmap() up to 6.16",
      evidence: "hmm_vma_walk_pmd() failed without a page fault; the entries that it went over"),
    Site(
      "H3a", [.prefetch, .pageFault], [.fault],
      kernels: "5.10 to 5.10.66, 5.11 to 5.13.18, 5.14.0 to 5.14.5",
      check: "hmm_vma_handle_pte(): pte_special() && !is_zero_pfn(), without the exception for "
        + "pte_devmap()",
      evidence: "the same; the entry has SPECIAL and DEVMAP and is as it was asked for"),
    Site(
      "H4", [.prefetch, .pageFault], [.fault],
      check:
        "hmm_vma_handle_pte(): a non-present entry that is no swap, device or migration entry; "
        + "also device-private ones up to 5.18, and markers from 7.0 on",
      evidence: "hmm_vma_walk_pmd() failed without a page fault; the type of the entry"),
    Site(
      "H5", [.prefetch, .pageFault], [.fault],
      check: "hmm_vma_walk_pmd(): !pmd_present() and no migration",
      evidence: "hmm_vma_walk_pmd() failed; the PMD"),
    Site(
      "H6", [.prefetch, .pageFault], [.fault], check: "hmm_vma_walk_pmd(): pmd_bad()",
      evidence: "hmm_vma_walk_pmd() failed; the PMD"),
    Site(
      "H7a", [.prefetch, .pageFault], [.fault], check: "handle_mm_fault(): VM_FAULT_SIGBUS",
      evidence: "the fault's code or the file system's errno; page offset against file size"),
    Site(
      "H7b", [.prefetch, .pageFault], [.fault],
      check: "handle_mm_fault(): VM_FAULT_HWPOISON, VM_FAULT_HWPOISON_LARGE",
      evidence: "the fault's code; the entry"),
    Site(
      "H7c", [.prefetch, .pageFault], [.fault, .nomem],
      check: "handle_mm_fault(): VM_FAULT_OOM (EFAULT up to 7.2, ENOMEM from 7.3 on)",
      evidence: "the fault's code, or ENOMEM of HMM"),
    Site(
      "H7d", [.prefetch, .pageFault], [.fault], check: "handle_mm_fault(): VM_FAULT_SIGSEGV",
      evidence: "the fault's code"),
    Site(
      "H7e", [.prefetch, .pageFault], [.fault], kernels: "up to 7.2",
      check: "handle_userfault() without FAULT_FLAG_ALLOW_RETRY: VM_FAULT_SIGBUS",
      evidence: "the mapping's userfaultfd flags; the result of handle_userfault()"),
    Site(
      "H8", [.prefetch, .pageFault], [.perm],
      check: "hmm_vma_fault(), hmm_do_fault() (7.3): write wanted and !(vm_flags & VM_WRITE)",
      evidence: "HMM failed with EPERM; the mapping's flags"),
    Site(
      "H9", [.prefetch, .pageFault], [.busy],
      check:
        "hmm_vma_walk_pmd(), hmm_vma_handle_pte(): a migration entry; waited for, never reported",
      evidence: "none: it is no failure"),
    Site(
      "H10", [.prefetch, .pageFault], [.busy],
      check: "hmm_range_fault(): mmu_interval_check_retry()",
      evidence: "HMM's last result and how long it took"),
    Site(
      "H11", [.prefetch, .pageFault], [.fault], kernels: "7.3 and later",
      check: "hmm_range_fault_unlocked_timeout(): check_stable_address_space()",
      evidence: "it failed and hmm_range_fault_locked() did not run"),
    Site(
      "H12", [.prefetch, .pageFault], [.fault], kernels: "7.3 and later",
      check: "hmm_do_fault(): the mapping went away between walk and fault",
      evidence:
        "hmm_range_fault_locked() failed after a walk that wanted a fault; no mapping is there"),
    Site(
      "H13", [.prefetch, .pageFault], [.inval], check: "walk_page_range(): start >= end",
      evidence: "HMM's range is empty"),
    Site(
      "H14", [.prefetch, .pageFault], [.fault],
      check: "hmm_vma_walk_hugetlb_entry(): its page fault failed",
      evidence: "the result of hugetlb_fault()"),
  ]

  static let pinSites: [Site] = [
    Site(
      "P1", [.registration], [.perm], check: "ib_umem_get(): !can_do_mlock()",
      evidence: "RLIMIT_MEMLOCK is 0 and CAP_IPC_LOCK is missing; nothing was pinned"),
    Site(
      "P2", [.registration], [.inval],
      check: "ib_umem_get(): address + length wraps, no page, or more than UINT_MAX pages",
      evidence: "address and length; nothing was pinned"),
    Site(
      "P3", [.registration], [.nomem],
      check: "ib_umem_get(): pinned_vm + pages > RLIMIT_MEMLOCK and no CAP_IPC_LOCK",
      evidence: "pinned pages, limit and capability at that moment"),
    Site(
      "P4", [.registration], [.opnotsupp],
      check: "check_vma_flags() (5.10: check_dax_vmas()): FOLL_LONGTERM and vma_is_fsdax()",
      evidence: "the mapping is fsdax"),
    Site(
      "P5", [.registration], [.fault], check: "check_vma_flags(): VM_IO | VM_PFNMAP",
      evidence: "the flags of the mapping, and its file"),
    Site(
      "P6", [.registration], [.fault], check: "__get_user_pages(): no mapping at the address",
      evidence: "no mapping at that page"),
    Site(
      "P7", [.registration], [.fault],
      check:
        "check_vma_flags(): FOLL_WRITE and !VM_WRITE, or !VM_READ; up to 6.1 a read-only MR is "
        + "pinned for writing too",
      evidence: "the flags of the mapping and the access flags"),
    Site(
      "P8", [.registration], [.fault], kernels: "6.5 and later",
      check:
        "writable_file_mapping_allowed(): a long-term write pin and vma_needs_dirty_tracking()",
      evidence: "the flags of the mapping, its page_mkwrite and pfn_mkwrite, and whether what the "
        + "file lies on is written back"),
    Site(
      "P9", [.registration], [.fault], kernels: "5.14 and later",
      check: "check_vma_flags(): vma_is_secretmem()",
      evidence: "the mapping's file is a memfd_secret"),
    Site(
      "P10", [.registration], [.fault], check: "check_vma_flags(): !arch_vma_access_permitted()",
      evidence: "the protection key of the mapping, and that nothing else refuses it"),
    Site(
      "P11", [.registration], [.exist],
      check: "follow_page_pte(): a present PTE without a struct page, where pages are wanted",
      evidence: "the page's entry has SPECIAL, in a VM_MIXEDMAP mapping"),
    Site(
      "P12", [.registration], [.fault, .nomem],
      check: "faultin_page(): vm_fault_to_errno(): ENOMEM for VM_FAULT_OOM, EFAULT for SIGBUS, "
        + "SIGSEGV and HWPOISON",
      evidence: "the fault's code where one was seen; page offset against file size; the entry"),
    Site(
      "P13", [.registration], [.nomem, .busy],
      check: "migrate_longterm_unpinnable_folios(): migrate_pages() left pages behind",
      evidence: "the result of migrate_pages()"),
    Site(
      "P14", [.registration], [.remoteio], kernels: "6.2 and later",
      check: "try_grab_folio(): a P2PDMA page without FOLL_PCI_P2PDMA",
      evidence: "the errno of the pin"),
    Site(
      "P15", [.registration], [.fault, .io, .inval, .nomem],
      check: "ib_umem_get(): the scatter list could not be mapped for DMA (ENOMEM on 5.10)",
      evidence: "everything was pinned and the function failed"),
    Site(
      "P16", [.registration], [.opnotsupp],
      check: "ib_umem_get(): IB_ACCESS_ON_DEMAND, which the driver ignored",
      evidence: "the access flags; nothing was pinned"),
    Site(
      "P17", [.registration], [.opnotsupp], kernels: "7.0 and later",
      check: "__ib_umem_get_va(): the device needs bounce buffers (cc_dma_bounce)",
      evidence: "no ON_DEMAND and no fsdax mapping; nothing was pinned"),
  ]
}
