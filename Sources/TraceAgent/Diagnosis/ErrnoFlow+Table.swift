// SPDX-License-Identifier: Apache-2.0

import Model

extension ErrnoFlow {
  static let table: [ErrnoFlow] = hmm + umem + rxe + mlx5 + drivers + verbs

  private static let walkCallbacks = [
    "hmm_vma_walk_test", "hmm_vma_walk_hole", "hmm_vma_walk_pmd", "hmm_vma_walk_pud",
    "hmm_vma_walk_hugetlb_entry",
  ]
  private static let pins = ["ib_umem_get", "__ib_umem_get_va"]
  private static let map = "ib_umem_odp_map_dma_and_lock"
  private static let hmmFile = "mm/hmm.c"

  /// Up to 7.2 a callback faults by itself, hmm_vma_fault(): EFAULT, EPERM, and EBUSY where it went well. From 7.3 on
  /// it asks for a fault by EAGAIN, hmm_record_fault().
  private static let faulting: Set<Errno> = [.fault, .perm, .busy, .again]
  private static let faults = ["hmm_vma_fault", "hmm_record_fault"]

  private static let hmm: [ErrnoFlow] = [
    ErrnoFlow(
      function: "hmm_vma_handle_pte", file: hmmFile, through: faults, own: faulting),
    ErrnoFlow(function: "hmm_vma_walk_test", file: hmmFile, own: [.fault]),
    ErrnoFlow(function: "hmm_vma_walk_hole", file: hmmFile, through: faults, own: faulting),
    ErrnoFlow(
      function: "hmm_vma_walk_pmd", file: hmmFile,
      through: faults + ["hmm_vma_handle_pmd", "hmm_vma_handle_absent_pmd"],
      calls: ["hmm_vma_walk_hole", "hmm_vma_handle_pte"], own: faulting),
    ErrnoFlow(
      function: "hmm_vma_walk_pud", file: hmmFile, through: faults, calls: ["hmm_vma_walk_hole"],
      own: faulting),
    ErrnoFlow(
      function: "hmm_vma_walk_hugetlb_entry", file: hmmFile, through: faults, own: faulting),
    // 7.3, inlined: hmm_range_fault_locked()'s hook tells of it (bpf/hmm.h, send_failed_pending()). EFAULT, ENOMEM:
    // vm_fault_to_errno(). EBUSY: it went well.
    ErrnoFlow(
      function: faultPhase, file: hmmFile, own: [.fault, .perm, .nomem, .inval, .busy, .nolck],
      isWatched: false),
    // EINVAL: walk_page_range() of nothing. EINTR: a fatal signal after a fault that dropped the lock.
    ErrnoFlow(
      function: "hmm_range_fault_locked", file: hmmFile, calls: walkCallbacks + [faultPhase],
      own: [.busy, .intr, .inval], drops: [.busy, .again, .nolck]),
    // Up to 7.2 around the callbacks itself; 7.3 by hmm_range_fault_locked().
    ErrnoFlow(
      function: "hmm_range_fault", file: hmmFile, calls: walkCallbacks + ["hmm_range_fault_locked"],
      own: [.busy, .inval], drops: [.busy]),
    // EINTR: mmap_read_lock_killable(). EFAULT: check_stable_address_space().
    ErrnoFlow(
      function: "hmm_range_fault_unlocked_timeout", file: hmmFile,
      calls: ["hmm_range_fault_locked"],
      own: [.intr, .fault, .busy], drops: [.busy]),
  ]

  private static let odpFile = "drivers/infiniband/core/umem_odp.c"
  /// mmu_interval_notifier_insert(): EINTR, ENOMEM, EINVAL, EOVERFLOW. hmm_dma_map_alloc() (6.16 and later): EOPNOTSUPP.
  private static let newUmem: Set<Errno> = [.inval, .nomem, .overflow, .opnotsupp, .intr]

  private static let umem: [ErrnoFlow] = [
    // EFAULT: outside of the umem, or no DMA address (up to 6.15). EINVAL: no owner, page size, empty access mask
    // (up to 6.15). EBUSY of HMM comes out after a second.
    ErrnoFlow(
      function: map, file: odpFile, through: ["ib_umem_odp_map_dma_single_page"],
      calls: ["hmm_range_fault", "hmm_range_fault_unlocked_timeout"], own: [.fault, .inval, .busy]),
    ErrnoFlow(
      function: "ib_umem_odp_get", file: odpFile, through: ["ib_init_umem_odp"], own: newUmem),
    ErrnoFlow(function: "ib_umem_odp_alloc_implicit", file: odpFile, own: [.inval, .nomem]),
    // EFAULT: the owner is gone.
    ErrnoFlow(
      function: "ib_umem_odp_alloc_child", file: odpFile, through: ["ib_init_umem_odp"],
      own: newUmem.union([.fault])),
    // Whatever pin_user_pages_fast() and the DMA layer return.
    ErrnoFlow(function: "ib_umem_get", file: "drivers/infiniband/core/umem.c"),
    ErrnoFlow(function: "__ib_umem_get_va", file: "drivers/infiniband/core/umem.c"),
  ]

  private static let rxe: [ErrnoFlow] = [
    // EBUSY: no number left in the pool (xa_alloc_cyclic()).
    ErrnoFlow(
      function: "rxe_reg_user_mr", file: "drivers/infiniband/sw/rxe/rxe_verbs.c",
      through: [
        "rxe_mem_init_user", "rxe_mr_init_user", "rxe_odp_mr_init_user", "rxe_odp_init_pages",
        "rxe_mr_fill_pages_from_sgt", "rxe_mr_alloc", "rxe_mem_alloc", "alloc_mr_page_info",
        "rxe_odp_do_pagefault_and_lock", "__rxe_add_to_pool",
      ],
      calls: pins + ["ib_umem_odp_get", map], own: [.opnotsupp, .nomem, .inval, .busy]),
    ErrnoFlow(
      function: "rxe_ib_advise_mr", file: "drivers/infiniband/sw/rxe/rxe_odp.c",
      through: [
        "rxe_ib_advise_mr_prefetch", "rxe_ib_prefetch_sg_list", "rxe_odp_do_pagefault_and_lock",
      ], calls: [map], own: [.opnotsupp, .inval, .perm, .nomem]),
    // EFAULT: mapped, and still not as wanted.
    ErrnoFlow(
      function: "rxe_odp_map_range_and_lock", file: "drivers/infiniband/sw/rxe/rxe_odp.c",
      through: ["rxe_odp_do_pagefault_and_lock"], calls: [map], own: [.fault, .inval]),
    // EFAULT up to 6.1.
    ErrnoFlow(
      function: "mr_check_range", file: "drivers/infiniband/sw/rxe/rxe_mr.c", own: [.inval, .fault]),
  ]

  private static let odpOfMLX5 = "drivers/infiniband/hw/mlx5/odp.c"

  private static let mlx5: [ErrnoFlow] = [
    // 5.10 and 6.1 have NULL instead, of which mlx5_ib_advise_mr() makes ENOENT.
    ErrnoFlow(
      function: "get_prefetchable_mr", file: odpOfMLX5, own: [.noent, .inval, .perm]),
    // Whatever the device says.
    ErrnoFlow(function: "mlx5r_umr_update_xlt", file: "drivers/infiniband/hw/mlx5/umr.c"),
    // An implicit MR's tables are updated even where a child could not be faulted in: if that fails too, it is its
    // errno that comes out (pagefault_implicit_mr()).
    ErrnoFlow(
      function: "pagefault_mr", file: odpOfMLX5,
      through: ["pagefault_real_mr", "pagefault_implicit_mr", "implicit_get_child_mr"],
      calls: [map, "ib_umem_odp_alloc_child", "mlx5r_umr_update_xlt"]),
    ErrnoFlow(
      function: "pagefault_single_data_segment", file: odpOfMLX5, calls: ["pagefault_mr"]),
    ErrnoFlow(
      function: "mlx5_ib_advise_mr", file: "drivers/infiniband/hw/mlx5/mr.c",
      through: ["mlx5_ib_advise_mr_prefetch", "mlx5_ib_prefetch_sg_list", "init_prefetch_work"],
      calls: ["get_prefetchable_mr", "pagefault_mr"], own: [.opnotsupp, .nomem, .noent, .inval]),
    ErrnoFlow(
      function: "mlx5_ib_reg_user_mr", file: "drivers/infiniband/hw/mlx5/mr.c",
      through: [
        "create_user_odp_mr", "mr_umem_get", "mlx5_ib_init_odp_mr", "pagefault_real_mr",
        "mlx5_ib_alloc_implicit_mr",
      ],
      calls: pins + [
        "ib_umem_odp_get", "ib_umem_odp_alloc_implicit", map, "mlx5r_umr_update_xlt",
      ]),
  ]

  private static let anyRegistration = "a driver's reg_user_mr"
  private static let anyAdvice = "a driver's advise_mr"
  private static let hardware = "drivers/infiniband/hw"

  /// Drivers without hooks. Those that hide what the pin said are named; of the rest nothing is known.
  private static let drivers: [ErrnoFlow] = [
    ErrnoFlow(
      function: "hns_roce_reg_user_mr", file: "\(hardware)/hns/hns_roce_mr.c",
      through: ["alloc_mr_pbl", "hns_roce_mtr_create", "mtr_alloc_bufs"], calls: pins, mask: .nomem,
      masked: pins, isWatched: false),
    ErrnoFlow(
      function: "c4iw_reg_user_mr", file: "\(hardware)/cxgb4/mem.c", calls: pins, mask: .nomem,
      masked: pins, isWatched: false),
    ErrnoFlow(
      function: "qedr_reg_user_mr", file: "\(hardware)/qedr/verbs.c", calls: pins, mask: .fault,
      masked: pins, isWatched: false),
    ErrnoFlow(
      function: "ocrdma_reg_user_mr", file: "\(hardware)/ocrdma/ocrdma_verbs.c", calls: pins,
      mask: .fault, masked: pins, isWatched: false),
    ErrnoFlow(
      function: anyRegistration, file: "", calls: pins + ["ib_umem_odp_get", map],
      isAnyDriver: true,
      isWatched: false),
    ErrnoFlow(function: anyAdvice, file: "", calls: [map], isAnyDriver: true, isWatched: false),
  ]

  private static let registrations =
    ["rxe_reg_user_mr", "mlx5_ib_reg_user_mr"]
    + drivers.map(\.function).filter { $0 != anyAdvice }

  /// The verbs' own refusals, and those of what stands around them, are of many errnos.
  private static let verbs: [ErrnoFlow] = [
    ErrnoFlow(
      function: "ib_uverbs_reg_mr", file: "drivers/infiniband/core/uverbs_cmd.c",
      calls: registrations),
    // mlx5_ib_rereg_user_mr() pins, or registers anew.
    ErrnoFlow(
      function: "ib_uverbs_rereg_mr", file: "drivers/infiniband/core/uverbs_cmd.c",
      through: ["mlx5_ib_rereg_user_mr"], calls: registrations + pins),
    ErrnoFlow(
      function: "ib_uverbs_handler_UVERBS_METHOD_REG_MR",
      file: "drivers/infiniband/core/uverbs_std_types_mr.c", calls: registrations),
    ErrnoFlow(
      function: "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR",
      file: "drivers/infiniband/core/uverbs_std_types_mr.c"),
    ErrnoFlow(
      function: "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR",
      file: "drivers/infiniband/core/uverbs_std_types_mr.c",
      calls: ["rxe_ib_advise_mr", "mlx5_ib_advise_mr", anyAdvice]),
  ]

  /// 7.3's hmm_do_fault(), as its walk evidence is called here.
  static let faultPhase = "hmm_do_fault"
}
