// SPDX-License-Identifier: Apache-2.0

import CEvents

/// A kernel function that mrtrace watches: the agent's half of `enum mrt_hook` and of the programs in bpf/.
package struct Hook: Equatable, Sendable {
  package enum Role: String, Sendable {
    case verbs, driver, umem, hmm, fault, process
  }

  package enum Way: Equatable, Sendable {
    /// fexit, or kretprobe with a kprobe that keeps the arguments.
    case exit
    /// An operation may begin at its entry and end at its return.
    case operation
    /// Entry matters too.
    case entryAndExit
    case tracepoint
  }

  /// When it is attached.
  package enum Need: Int, Sendable {
    case always
    /// `--fault-codes`: on a path that every process uses.
    case faultCodes
    /// `--detail layers`.
    case layers
    /// A filter that follows children.
    case follow
    /// The live views.
    case statistics
  }

  package var id: mrt_hook
  /// Name in the kernel's source, of the BPF program, and in chains.
  package var symbol: String
  /// Modules that may hold it; empty = vmlinux.
  package var modules: [String]
  package var role: Role
  package var way: Way
  package var need: Need
  /// What can no longer be told without it; nil when its absence is normal on many kernels.
  package var withoutIt: String?

  package init(
    _ id: mrt_hook, _ symbol: String, _ role: Role, modules: [String] = [], way: Way = .exit,
    need: Need = .always, withoutIt: String? = nil
  ) {
    self.id = id
    self.symbol = symbol
    self.modules = modules
    self.role = role
    self.way = way
    self.need = need
    self.withoutIt = withoutIt
  }
}

extension mrt_hook: @retroactive Equatable, @retroactive Hashable {}

extension Hook {
  private static let core = ["ib_uverbs", "ib_core"]

  /// All hooks, in the order in which `doctor` shows them.
  package static let all: [Hook] = [
    Hook(
      MRT_HOOK_REG_MR, "ib_uverbs_reg_mr", .verbs, modules: core, way: .operation,
      withoutIt: "registrations are not seen"),
    Hook(
      MRT_HOOK_REREG_MR, "ib_uverbs_rereg_mr", .verbs, modules: core, way: .operation,
      withoutIt: "re-registrations are not seen"),
    Hook(
      MRT_HOOK_ADVISE_MR, "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", .verbs, modules: core,
      way: .operation, withoutIt: "prefetch requests are not seen"),
    Hook(
      MRT_HOOK_METHOD_REG_MR, "ib_uverbs_handler_UVERBS_METHOD_REG_MR", .verbs, modules: core,
      way: .operation),
    Hook(
      MRT_HOOK_METHOD_REG_DMABUF_MR, "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR", .verbs,
      modules: core, way: .operation),
    Hook(MRT_HOOK_RXE_REG_USER_MR, "rxe_reg_user_mr", .driver, modules: ["rdma_rxe"]),
    Hook(MRT_HOOK_RXE_ADVISE_MR, "rxe_ib_advise_mr", .driver, modules: ["rdma_rxe"]),
    Hook(
      MRT_HOOK_RXE_PREFETCH_WORK, "rxe_ib_prefetch_mr_work", .driver, modules: ["rdma_rxe"],
      way: .operation),
    // Every packet runs these two, outside of any operation that is followed.
    Hook(
      MRT_HOOK_RXE_MAP_RANGE, "rxe_odp_map_range_and_lock", .driver, modules: ["rdma_rxe"],
      need: .layers),
    Hook(
      MRT_HOOK_RXE_CHECK_RANGE, "mr_check_range", .driver, modules: ["rdma_rxe"], need: .layers),
    Hook(
      MRT_HOOK_RXE_INVALIDATE, "rxe_ib_invalidate_range", .driver, modules: ["rdma_rxe"],
      way: .entryAndExit, need: .statistics),
    Hook(MRT_HOOK_MLX5_REG_USER_MR, "mlx5_ib_reg_user_mr", .driver, modules: ["mlx5_ib"]),
    Hook(MRT_HOOK_MLX5_ADVISE_MR, "mlx5_ib_advise_mr", .driver, modules: ["mlx5_ib"]),
    Hook(
      MRT_HOOK_MLX5_PREFETCH_WORK, "mlx5_ib_prefetch_mr_work", .driver, modules: ["mlx5_ib"],
      way: .operation),
    Hook(MRT_HOOK_MLX5_GET_PREFETCHABLE, "get_prefetchable_mr", .driver, modules: ["mlx5_ib"]),
    Hook(
      MRT_HOOK_MLX5_PAGEFAULT_SEGMENT, "pagefault_single_data_segment", .driver,
      modules: ["mlx5_ib"], way: .operation),
    Hook(
      MRT_HOOK_MLX5_PAGEFAULT_MR, "pagefault_mr", .driver, modules: ["mlx5_ib"],
      way: .operation),
    Hook(MRT_HOOK_MLX5_UPDATE_XLT, "mlx5r_umr_update_xlt", .driver, modules: ["mlx5_ib"]),
    Hook(
      MRT_HOOK_MLX5_INVALIDATE, "mlx5_ib_invalidate_range", .driver, modules: ["mlx5_ib"],
      way: .entryAndExit, need: .statistics),
    Hook(
      MRT_HOOK_ODP_GET, "ib_umem_odp_get", .umem, modules: core,
      withoutIt: "page faults cannot be tied to their registration"),
    Hook(MRT_HOOK_ODP_ALLOC_IMPLICIT, "ib_umem_odp_alloc_implicit", .umem, modules: core),
    Hook(MRT_HOOK_ODP_ALLOC_CHILD, "ib_umem_odp_alloc_child", .umem, modules: core),
    Hook(
      MRT_HOOK_ODP_MAP, "ib_umem_odp_map_dma_and_lock", .umem, modules: core, way: .operation,
      withoutIt: "page faults and asynchronous prefetches are not seen"),
    Hook(
      MRT_HOOK_ODP_UNMAP, "ib_umem_odp_unmap_dma_pages", .umem, modules: core, need: .layers),
    Hook(MRT_HOOK_ODP_RELEASE, "ib_umem_odp_release", .umem, modules: core, need: .layers),
    Hook(MRT_HOOK_UMEM_GET, "ib_umem_get", .umem, modules: core),
    Hook(MRT_HOOK_UMEM_GET, "__ib_umem_get_va", .umem, modules: core),
    Hook(
      MRT_HOOK_MIGRATE_PAGES, "migrate_pages", .umem,
      withoutIt: "pins that fail to move pages are not told from other lack of memory"),
    Hook(MRT_HOOK_RANGE_FAULT, "hmm_range_fault", .hmm, withoutIt: "HMM's result is not seen"),
    Hook(MRT_HOOK_RANGE_FAULT_LOCKED, "hmm_range_fault_locked", .hmm),
    Hook(MRT_HOOK_RANGE_FAULT_UNLOCKED, "hmm_range_fault_unlocked_timeout", .hmm),
    Hook(
      MRT_HOOK_WALK_TEST, "hmm_vma_walk_test", .hmm,
      withoutIt: "mappings that HMM refuses are not named"),
    Hook(
      MRT_HOOK_WALK_HOLE, "hmm_vma_walk_hole", .hmm, withoutIt: "missing mappings are not named"),
    Hook(
      MRT_HOOK_WALK_PMD, "hmm_vma_walk_pmd", .hmm,
      withoutIt: "page-table entries that HMM rejects are not seen"),
    Hook(MRT_HOOK_WALK_PUD, "hmm_vma_walk_pud", .hmm),
    Hook(MRT_HOOK_WALK_HUGETLB, "hmm_vma_walk_hugetlb_entry", .hmm),
    Hook(MRT_HOOK_HANDLE_PTE, "hmm_vma_handle_pte", .hmm),
    Hook(
      MRT_HOOK_DAX_PTE_FAULT, "dax_pte_fault_done", .fault, way: .tracepoint,
      withoutIt: "failing DAX faults have no fault code"),
    Hook(MRT_HOOK_DAX_PMD_FAULT, "dax_pmd_fault_done", .fault, way: .tracepoint),
    Hook(
      MRT_HOOK_DAX_IOMAP_FAULT, "dax_iomap_fault", .fault,
      withoutIt: "the file system's own error behind a failing DAX fault is not seen"),
    Hook(MRT_HOOK_HUGETLB_FAULT, "hugetlb_fault", .fault),
    Hook(MRT_HOOK_HANDLE_USERFAULT, "handle_userfault", .fault),
    Hook(MRT_HOOK_XFS_WRITE_DIRECT, "xfs_iomap_write_direct", .fault, modules: ["xfs"]),
    Hook(
      MRT_HOOK_SHMEM_FULL, "shmem_unused_huge_shrink", .fault,
      withoutIt: "a full tmpfs is not told from other failures of its faults"),
    Hook(MRT_HOOK_EXT4_FULL, "ext4_should_retry_alloc", .fault, modules: ["ext4"]),
    Hook(MRT_HOOK_HANDLE_MM_FAULT, "handle_mm_fault", .fault, need: .faultCodes),
    Hook(MRT_HOOK_OOM_KILL, "oom_kill_process", .process, way: .entryAndExit),
    Hook(MRT_HOOK_FORK, "sched_process_fork", .process, way: .tracepoint, need: .follow),
    Hook(MRT_HOOK_EXIT, "sched_process_exit", .process, way: .tracepoint, need: .follow),
  ]
}
