// SPDX-License-Identifier: Apache-2.0

import Model

// What drivers/infiniband/core/umem.c and umem_odp.c refuse without a page at fault.
extension Cause {
  static let umemCauses: [Cause] = [
    Cause(
      "length-invalid", sites: ["U1", "H13", "P2"],
      brief: "the length is zero, or leaves the address space",
      errnos: [.inval, .overflow],
      check: "ib_umem_get(), ib_init_umem_odp(): address + length wraps, or no page",
      advice: [
        "Check the length: it is zero, or address and length together leave the address space."
      ],
      references: [
        "drivers/infiniband/core/umem.c: ib_umem_get()",
        "drivers/infiniband/core/umem_odp.c: ib_init_umem_odp()",
      ], find: lengthInvalid),
    Cause(
      "page-list-allocation", sites: ["U1", "U3"],
      brief: "no memory for the list of the MR's pages",
      errnos: [.nomem],
      check: "ib_init_umem_odp(): no memory for the page list; soft-RoCE: alloc_mr_page_info()",
      advice: [
        "An on-demand MR needs 8 to 16 bytes of kernel memory for every page of its length, in one "
          + "piece: register less at a time, or raise the memory limit of the cgroup."
      ],
      references: [
        "drivers/infiniband/core/umem_odp.c: ib_init_umem_odp()",
        "drivers/infiniband/sw/rxe/rxe_mr.c: alloc_mr_page_info()",
      ]
    ) { failure in
      if let layer = failure.layer("ib_umem_odp_get"), layer.errno == .nomem,
        layer.arguments.count >= 3
      {
        return Finding(
          .proved,
          because: "the kernel has no memory for the page list of "
            + "\(count(layer.arguments[2], "byte")) of address space")
      }
      // The pages are pinned by then; left is soft-RoCE's own list of them, in one piece.
      guard let rxe = failure.layer("rxe_reg_user_mr"), rxe.errno == .nomem,
        failure.layers.count == 1,
        failure.access?.contains(.onDemand) == false, let length = failure.operation.mr.length,
        failure.wouldHaveSeen("ib_umem_get", "__ib_umem_get_va")
      else { return nil }
      return Finding(
        .inferred,
        because: "soft-RoCE has no memory for its list of the pages of \(count(length, "byte"))")
    },
    Cause(
      "invalidation-livelock", sites: ["U7", "H10"],
      brief: "the mappings kept changing for a second while they were being mapped",
      errnos: [.busy],
      check: "ib_umem_odp_map_dma_and_lock(): -EBUSY for a second",
      advice: [
        "Another thread keeps changing these mappings (munmap, mprotect, madvise, fork with "
          + "copy-on-write, reclaim, NUMA balancing) while the device asks for them: see the "
          + "process's other threads."
      ],
      references: [
        "drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_and_lock()",
        "mm/hmm.c: hmm_range_fault()",
      ]
    ) { failure in
      guard let layer = failure.layer("ib_umem_odp_map_dma_and_lock"), layer.errno == .busy else {
        return nil
      }
      return Finding(
        .proved,
        because: "the range was invalidated again and again for a second while it was being mapped")
    },
    Cause(
      "owner-exited", sites: ["U6", "V12"],
      brief: "the process that registered the memory is gone",
      errnos: [.inval, .fault],
      check: "ib_umem_odp_map_dma_and_lock(): no owning task, or !mmget_not_zero()",
      advice: [
        "The process that registered the memory has exited or called exec() while another still "
          + "used the MR (a descriptor passed on, a late access of the peer). Close the connection "
          + "before exit."
      ],
      references: ["drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_and_lock()"],
      find: ownerExited),
    Cause(
      "mm-unstable", sites: ["H11"],
      brief: "the out-of-memory killer is tearing down the address space",
      errnos: [.fault],
      check: "hmm_range_fault_unlocked_timeout(): check_stable_address_space() (7.3)",
      advice: [
        "The process is being killed for want of memory, and its pages are taken away already: see "
          + "dmesg for \"oom_reaper\", and memory.events of its cgroup."
      ],
      references: [
        "mm/hmm.c: hmm_range_fault_unlocked_timeout()", "include/linux/oom.h",
      ], find: unstable),
    Cause(
      "page-size-mismatch", sites: ["U8"],
      brief: "the MR was registered with IBV_ACCESS_HUGETLB, and its memory is in smaller pages",
      errnos: [.inval],
      check: "ib_umem_odp_map_dma_and_lock(): hmm_order + PAGE_SHIFT < page_shift",
      advice: [
        "Register without IBV_ACCESS_HUGETLB, or take the memory from hugetlbfs (mmap MAP_HUGETLB) "
          + "and register whole huge pages."
      ],
      references: ["drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_and_lock()"],
      find: pageSizeMismatch),
  ]

  @Sendable private static func lengthInvalid(_ failure: Failure) -> Finding? {
    if let request = failure.pinRequest, request.errno == .inval {
      guard request.overflows || request.pages == 0 || request.pages > UInt64(UInt32.max) else {
        return nil
      }
      return Finding(.proved, because: text(request.address, request.size))
    }
    if let layer = failure.layer("ib_umem_odp_get"), layer.arguments.count >= 3 {
      let (address, size) = (layer.arguments[1], layer.arguments[2])
      let (end, wraps) = address.addingReportingOverflow(size)
      let huge = layer.arguments.count >= 4 && layer.arguments[3] & 0x80 != 0
      let isEmpty = size == 0 && address & (huge ? 1 << 21 - 1 : 4095) == 0
      guard
        layer.errno == .overflow && (wraps || (end &+ 4095) & ~4095 < end)
          || layer.errno == .inval && isEmpty
      else { return nil }
      return Finding(.proved, because: text(address, size))
    }
    // walk_page_range() refuses an empty range.
    guard let map = failure.layer("ib_umem_odp_map_dma_and_lock"), map.errno == .inval,
      !failure.isOfPinnedMR,
      map.arguments.count >= 3, map.arguments[2] == 0, let shift = failure.umem?.pageShift,
      shift < 64,
      map.arguments[1] & (UInt64(1) << UInt64(shift) &- 1) == 0
    else { return nil }
    return Finding(.proved, because: text(map.arguments[1], 0))
  }

  private static func text(_ address: UInt64, _ size: UInt64) -> String {
    size == 0
      ? "the range at \(hex(address)) is empty"
      : size < 1 << 47
        ? "\(count(size, "byte")) from \(hex(address)) on are more than can be registered at once"
        : "\(count(size, "byte")) from \(hex(address)) on reach beyond the end of the address space"
  }

  /// By exclusion: -EINVAL has no other source for a range inside the MR, of one page size, that
  /// HMM did not refuse.
  @Sendable private static func ownerExited(_ failure: Failure) -> Finding? {
    // Nothing else in ib_umem_odp_alloc_child() gives this errno.
    if let child = failure.layer("ib_umem_odp_alloc_child"), child.errno == .fault {
      return Finding(
        .proved, because: "the process that registered the MR is gone",
        links: [.init(function: "mmget_not_zero", result: .word("false"), seen: .replayed)])
    }
    // Who registers is there.
    guard !failure.isRegistration, !failure.isOfPinnedMR, let map = failure.failedMap,
      map.errno == .inval,
      !failure.sawHMMFail(),
      failure.umem?.pageShift == 12, failure.isInsideUmem(map) == true, map.arguments[2] > 0,
      // Up to 6.12 an empty access mask is refused as well; the oldest kernels are told by their
      // DEVMAP bit.
      map.arguments[3] != 0 || failure.traits.pageTables.devmapBit == nil
    else { return nil }
    return Finding(
      .proved, because: "the process that registered the MR is gone",
      links: [.init(function: "mmget_not_zero", result: .word("false"), seen: .inferred)])
  }

  /// The whole answer of hmm_range_fault_unlocked_timeout(): hmm_range_fault_locked() was not
  /// called, or would have been seen to fail.
  @Sendable private static func unstable(_ failure: Failure) -> Finding? {
    guard failure.traits.faultsOutsideWalk, !failure.sawHMMFail(but: unlockedRange),
      failure.wouldHaveSeen("hmm_range_fault_locked"), let range = failure.ranges.last,
      range.function == unlockedRange, range.errno == .fault
    else { return nil }
    return Finding(
      .proved, because: "the address space is being torn down by the out-of-memory killer",
      links: [
        .init(
          function: "check_stable_address_space", result: .word("VM_FAULT_SIGBUS"), seen: .replayed)
      ])
  }

  private static let unlockedRange = "hmm_range_fault_unlocked_timeout"

  /// The same errno as of an owner that is gone, and by the same function.
  @Sendable private static func pageSizeMismatch(_ failure: Failure) -> Finding? {
    guard let map = failure.failedMap, map.errno == .inval, !failure.sawHMMFail(),
      !failure.isOfPinnedMR,
      map.arguments[2] > 0,
      let shift = failure.umem?.pageShift, shift > 12, shift < 64, failure.isInsideUmem(map) == true
    else { return nil }
    let size = UInt64(1) << UInt64(shift)
    // Who registers, or asks for memory of its own, is alive.
    let isAlive =
      failure.isRegistration
      || failure.operation.kind == .adviseMR
        && failure.umem?.ownerPID == failure.operation.runner.pid
    return Finding(
      isAlive ? .proved : .inferred,
      because: "the MR is registered with HUGETLB, for pages of \(count(size, "byte")), and memory "
        + "from \(hex(map.arguments[1])) on is in smaller ones"
        + (isAlive ? "" : ", unless the process that registered it is gone"))
  }
}
