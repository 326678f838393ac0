// SPDX-License-Identifier: Apache-2.0

import Model

// Pinned registrations: ib_umem_get() and the long-term pin it makes (mm/gup.c).
extension Cause {
  static let pinCauses: [Cause] = [
    Cause(
      "pin-fsdax", sites: ["P4"],
      brief: "long-term pins of fsdax memory are refused by design",
      errnos: [.opnotsupp],
      check: "check_vma_flags() (5.10: check_dax_vmas()): FOLL_LONGTERM and vma_is_fsdax()",
      advice: [
        "By design: the file system could not take such pages back. Register with "
          + "IBV_ACCESS_ON_DEMAND if the device has it (ibv_devinfo -v: odp_caps), which librpma "
          + "does by itself.",
        "Or use device-dax (/dev/dax*) instead of a file, or copy through ordinary memory.",
      ],
      references: ["mm/gup.c: check_vma_flags()", "Documentation/core-api/pin_user_pages.rst"]
    ) { failure in
      failure.pin(.fsdax) { refusal in
        "\(failure.place(refusal.page)) is fsdax memory, of which the kernel refuses every long-term "
          + "pin"
      }
    },
    Cause(
      "pin-file-backed", sites: ["P8"],
      brief: "a shared file mapping that needs dirty tracking may not be pinned for writing",
      errnos: [.fault],
      check: "check_vma_flags(): a long-term write pin and vma_needs_dirty_tracking()",
      advice: [
        "Use anonymous memory, tmpfs, hugetlbfs or a private mapping for the buffer; data written "
          + "by the device would bypass the file system's accounting.",
        "Or register with IBV_ACCESS_ON_DEMAND if the device has it.",
      ],
      references: [
        "mm/gup.c: writable_file_mapping_allowed()", "mm/vma.c: vma_needs_dirty_tracking()",
      ]
    ) { failure in
      failure.pin(.fileBacked) { refusal in
        "\(failure.place(refusal.page)) is a shared writable mapping of a file whose file system "
          + "must be told of every write\(refusal.asking), and this kernel refuses to pin it for "
          + "writing"
      }
    },
    Cause(
      "pin-secretmem", sites: ["P9"],
      brief: "memfd_secret memory can never be pinned",
      errnos: [.fault], check: "check_vma_flags(): vma_is_secretmem()",
      advice: ["memfd_secret(2) memory can never be given to a device: use another buffer."],
      references: ["mm/gup.c: check_vma_flags()", "memfd_secret(2)"]
    ) { failure in
      failure.pin(.secret) { "page \(hex($0.page)) is memfd_secret memory" }
    },
    Cause(
      "pin-memlock-limit", sites: ["P3"],
      brief: "more memory is pinned than RLIMIT_MEMLOCK allows",
      errnos: [.nomem],
      check: "ib_umem_get(): pinned_vm + pages > RLIMIT_MEMLOCK and no CAP_IPC_LOCK",
      advice: [
        "Raise the limit: \"ulimit -l unlimited\", LimitMEMLOCK=infinity in a systemd unit, "
          + "memlock in /etc/security/limits.conf, \"--ulimit memlock=-1\" of a container.",
        "What the process has pinned is VmPin in /proc/PID/status.",
      ],
      references: [
        "drivers/infiniband/core/umem.c: ib_umem_get()", "getrlimit(2): RLIMIT_MEMLOCK",
      ],
      find: memlockLimit),
    Cause(
      "pin-memlock-forbidden", sites: ["P1"],
      brief: "RLIMIT_MEMLOCK is 0: the process may not pin at all",
      errnos: [.perm],
      check: "ib_umem_get(): !can_do_mlock(), RLIMIT_MEMLOCK is 0 and no CAP_IPC_LOCK",
      advice: [
        "RLIMIT_MEMLOCK is 0: raise it (\"ulimit -l unlimited\", LimitMEMLOCK=infinity in a "
          + "systemd unit, \"--ulimit memlock=-1\" of a container)."
      ],
      references: ["mm/mlock.c: can_do_mlock()", "getrlimit(2): RLIMIT_MEMLOCK"]
    ) { failure in
      // No other check of ib_umem_get() gives EPERM.
      guard let request = failure.pinRequest, request.errno == .perm,
        failure.memlock(of: request)?.memlockLimit ?? 0 == 0
      else { return nil }
      return Finding(
        .proved,
        because: "the process may not pin memory at all: its RLIMIT_MEMLOCK is 0",
        links: [.init(function: "can_do_mlock", result: .word("false"), seen: .replayed)])
    },
    Cause(
      "pin-migration-failed", sites: ["P13"],
      brief: "a page in memory that must stay movable could not be moved out of it for the pin",
      errnos: [.nomem],
      check: "migrate_longterm_unpinnable_folios(): migrate_pages() left pages behind",
      advice: [
        "Pages of ZONE_MOVABLE and of CMA memory may not be pinned for long, and must be moved out "
          + "first. Who holds the page must let go of it: finish the I/O or the transfer in progress, "
          + "empty the pipe, end the other pin, or wait for the write-back; then register again.",
        "Or keep such memory away from buffers: less of it (cma= and kho= for CMA, movablecore= and "
          + "kernelcore= for ZONE_MOVABLE, on the kernel's command line; memory that was hotplugged as "
          + "online_movable), huge pages of hugetlbfs that were reserved at boot, or buffers that are "
          + "registered right after they were allocated.",
        "Where nothing holds the page, there is too little other memory to move it to: free some.",
      ],
      references: [
        "mm/gup.c: check_and_migrate_movable_pages()", "mm/migrate.c: migrate_pages()",
        "Documentation/admin-guide/mm/memory-hotplug.rst",
      ], find: migrationFailed),
    Cause(
      "pin-peer-memory", sites: ["P5", "P14"],
      brief: "the memory of a GPU or another PCI device cannot be pinned by address",
      errnos: [.fault, .remoteio],
      check: "check_vma_flags(): VM_IO | VM_PFNMAP of a GPU's file; try_grab_folio(): a P2PDMA "
        + "page without FOLL_PCI_P2PDMA",
      advice: [
        "Register the memory as a dma-buf (ibv_reg_dmabuf_mr() with the descriptor that the "
          + "GPU's runtime exports), which UCX, NCCL and libfabric do where kernel and driver can.",
        "Or load the vendor's peer-memory module (nvidia-peermem), or copy through ordinary "
          + "memory.",
      ],
      references: [
        "mm/gup.c: check_vma_flags(), try_grab_folio()", "ibv_reg_dmabuf_mr(3)",
        "https://github.com/Mellanox/nv_peer_memory/issues/115",
      ], find: peerMemory),
  ]

  /// migrate_pages() is recorded only for a long-term pin, and only where it left pages behind.
  @Sendable private static func migrationFailed(_ failure: Failure) -> Finding? {
    guard let request = failure.pinRequest, request.errno == .nomem,
      let migration = failure.operation.layers.last(where: { $0.function == "migrate_pages" })
    else { return nil }
    let left =
      migration.result > 0
      ? count(UInt64(migration.result), "page") + " could not be moved"
      : "moving the pages failed with \(migration.errno?.description ?? "?")"
    let folio = failure.operation.folios.first
    return Finding(
      .proved, page: folio.flatMap { failure.address(of: $0) },
      because: "the range has pages in \(folio?.memory ?? "memory that must stay movable"), out of "
        + "which a long-term pin has to move them, and \(left)"
        + (folio.map { ": \(failure.describe($0))" } ?? ""),
      links: [
        .init(function: "migrate_pages", result: .word("\(migration.result)"), seen: .direct),
        .init(
          function: "__gup_longterm_locked", result: .errno(.nomem), seen: .replayed),
      ])
  }

  @Sendable private static func peerMemory(_ failure: Failure) -> Finding? {
    if let found = failure.pin(
      .peer,
      text: { refusal in
        let file = refusal.mapping.file.map { " of \(failure.name(of: $0))" } ?? ""
        return "page \(hex(refusal.page))\(file) is a GPU's or accelerator's memory, which cannot "
          + "be pinned by address"
      })
    {
      return found
    }
    // Nothing else in ib_umem_get() gives this errno: such a page cannot be pinned, and so never
    // comes to be mapped for DMA.
    guard let request = failure.pinRequest, request.errno == .remoteio else { return nil }
    // Pages are pinned in order: the first of such a mapping is the one.
    let page = failure.operation.mappings.filter(\.isPeerToPeer).map {
      Failure.page(of: $0.address)
    }
    .filter { $0 >= request.firstPage && $0 &- request.firstPage < request.size }.min()
    return Finding(
      .proved, page: page,
      because: (page.map(failure.place) ?? "a page of the range")
        + " is memory of a PCI device (P2PDMA), which cannot be pinned by address",
      links: [.init(function: "try_grab_folio", result: .errno(.remoteio), seen: .replayed)])
  }

  @Sendable private static func memlockLimit(_ failure: Failure) -> Finding? {
    // Checked before the first page is pinned: what failed behind it excludes it.
    guard let request = failure.pinRequest, request.errno == .nomem, !request.overflows,
      !failure.operation.layers.contains(where: { $0.function == "migrate_pages" }),
      failure.operation.faults.isEmpty,
      let umem = failure.memlock(of: request), umem.mayLock != true, let pinned = umem.pinnedPages,
      let limit = umem.memlockLimit, pinned &+ request.pages > limit >> 12
    else { return nil }
    let already = pinned == 0 ? "nothing" : count(pinned, "page")
    var because =
      "\(count(request.pages, "page")) to pin, with \(already) pinned before, are more than "
      + "RLIMIT_MEMLOCK allows (\(limit) bytes)"
    if umem.mayLock == nil { because += ", unless the process has CAP_IPC_LOCK" }
    return Finding(umem.mayLock == false ? .proved : .inferred, because: because)
  }
}

extension PinRefusal {
  /// By which of the kernel's questions the file system must be told, where they were read.
  fileprivate var asking: String {
    guard let writes else { return "" }
    if writes.pageMkwrite { return " (its mappings have page_mkwrite)" }
    return writes.pfnMkwrite
      ? " (its mappings have pfn_mkwrite)" : " (what it lies on is written back)"
  }
}

extension MappingEvidence {
  /// pci_p2pdma_add_resource() makes this file for a device's memory (drivers/pci/p2pdma.c).
  fileprivate var isPeerToPeer: Bool {
    guard found, let file else { return false }
    return file.filesystem == "sysfs" && file.path.hasSuffix("/p2pmem/allocate")
  }
}

extension Failure {
  /// The limit is known not to have been met.
  func isWithinMemlock(_ request: PinRequest) -> Bool {
    guard let umem = memlock(of: request) else { return false }
    if umem.mayLock == true { return true }
    guard let pinned = umem.pinnedPages, let limit = umem.memlockLimit else { return false }
    return pinned &+ request.pages <= limit >> 12
  }

  fileprivate func memlock(of request: PinRequest) -> UmemEvidence? {
    operation.umems.last { $0.function == request.function }
  }
}
