// SPDX-License-Identifier: Apache-2.0

import CEvents

/// Hook numbers of events.h to the kernel functions they watch, by their names in the kernel's
/// source.
package struct HookNames: Equatable, Sendable {
  private var names: [UInt32: String]

  /// The names of events.h, where `symbols` (of a hook plan) does not say otherwise: hook 36 is
  /// `ib_umem_get`, but `__ib_umem_get_va` on 7.x.
  ///
  /// A compiler's suffix (".isra.0", ".constprop.0") is no part of a name in the source and is
  /// dropped.
  package init(symbols: [UInt32: String] = [:]) {
    names = Self.usual
    for (hook, symbol) in symbols {
      let name = symbol.prefix { $0 != "." }
      if !name.isEmpty { names[hook] = String(name) }
    }
  }

  /// "hook 99" for a number of a later version.
  package subscript(hook: UInt32) -> String { names[hook] ?? "hook \(hook)" }

  /// All hooks this version knows, and their names in events.h.
  package static let usual: [UInt32: String] = Dictionary(
    uniqueKeysWithValues: table.map { ($0.rawValue, $1) })

  private static let table: [(mrt_hook, String)] = [
    (MRT_HOOK_REG_MR, "ib_uverbs_reg_mr"),
    (MRT_HOOK_REREG_MR, "ib_uverbs_rereg_mr"),
    (MRT_HOOK_ADVISE_MR, "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"),
    (MRT_HOOK_METHOD_REG_MR, "ib_uverbs_handler_UVERBS_METHOD_REG_MR"),
    (MRT_HOOK_METHOD_REG_DMABUF_MR, "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR"),
    (MRT_HOOK_RXE_REG_USER_MR, "rxe_reg_user_mr"),
    (MRT_HOOK_RXE_ADVISE_MR, "rxe_ib_advise_mr"),
    (MRT_HOOK_RXE_PREFETCH_WORK, "rxe_ib_prefetch_mr_work"),
    (MRT_HOOK_RXE_MAP_RANGE, "rxe_odp_map_range_and_lock"),
    (MRT_HOOK_RXE_CHECK_RANGE, "mr_check_range"),
    (MRT_HOOK_RXE_INVALIDATE, "rxe_ib_invalidate_range"),
    (MRT_HOOK_MLX5_REG_USER_MR, "mlx5_ib_reg_user_mr"),
    (MRT_HOOK_MLX5_ADVISE_MR, "mlx5_ib_advise_mr"),
    (MRT_HOOK_MLX5_PREFETCH_WORK, "mlx5_ib_prefetch_mr_work"),
    (MRT_HOOK_MLX5_PAGEFAULT_MR, "pagefault_mr"),
    (MRT_HOOK_MLX5_GET_PREFETCHABLE, "get_prefetchable_mr"),
    (MRT_HOOK_MLX5_PAGEFAULT_SEGMENT, "pagefault_single_data_segment"),
    (MRT_HOOK_MLX5_UPDATE_XLT, "mlx5r_umr_update_xlt"),
    (MRT_HOOK_MLX5_INVALIDATE, "mlx5_ib_invalidate_range"),
    (MRT_HOOK_ODP_GET, "ib_umem_odp_get"),
    (MRT_HOOK_ODP_ALLOC_IMPLICIT, "ib_umem_odp_alloc_implicit"),
    (MRT_HOOK_ODP_ALLOC_CHILD, "ib_umem_odp_alloc_child"),
    (MRT_HOOK_ODP_MAP, "ib_umem_odp_map_dma_and_lock"),
    (MRT_HOOK_ODP_UNMAP, "ib_umem_odp_unmap_dma_pages"),
    (MRT_HOOK_ODP_RELEASE, "ib_umem_odp_release"),
    (MRT_HOOK_UMEM_GET, "ib_umem_get"),
    (MRT_HOOK_RANGE_FAULT, "hmm_range_fault"),
    (MRT_HOOK_RANGE_FAULT_LOCKED, "hmm_range_fault_locked"),
    (MRT_HOOK_RANGE_FAULT_UNLOCKED, "hmm_range_fault_unlocked_timeout"),
    (MRT_HOOK_WALK_TEST, "hmm_vma_walk_test"),
    (MRT_HOOK_WALK_HOLE, "hmm_vma_walk_hole"),
    (MRT_HOOK_WALK_PMD, "hmm_vma_walk_pmd"),
    (MRT_HOOK_WALK_PUD, "hmm_vma_walk_pud"),
    (MRT_HOOK_WALK_HUGETLB, "hmm_vma_walk_hugetlb_entry"),
    (MRT_HOOK_HANDLE_PTE, "hmm_vma_handle_pte"),
    (MRT_HOOK_MIGRATE_PAGES, "migrate_pages"),
    (MRT_HOOK_HANDLE_MM_FAULT, "handle_mm_fault"),
    (MRT_HOOK_DAX_PTE_FAULT, "dax_pte_fault_done"),
    (MRT_HOOK_DAX_PMD_FAULT, "dax_pmd_fault_done"),
    (MRT_HOOK_DAX_IOMAP_FAULT, "dax_iomap_fault"),
    (MRT_HOOK_HUGETLB_FAULT, "hugetlb_fault"),
    (MRT_HOOK_HANDLE_USERFAULT, "handle_userfault"),
    (MRT_HOOK_XFS_WRITE_DIRECT, "xfs_iomap_write_direct"),
    (MRT_HOOK_SHMEM_FULL, "shmem_unused_huge_shrink"),
    (MRT_HOOK_EXT4_FULL, "ext4_should_retry_alloc"),
    (MRT_HOOK_FORK, "sched_process_fork"),
    (MRT_HOOK_EXIT, "sched_process_exit"),
    (MRT_HOOK_OOM_KILL, "oom_kill_process"),
  ]
}
