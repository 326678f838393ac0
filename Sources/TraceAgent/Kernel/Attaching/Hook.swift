// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

/// How a kernel function is watched: what attaching adds to its row in ``WatchedFunction/all``, for the programs in bpf/.
package struct Hook: Equatable, Sendable {
  package enum Role: String, Sendable {
    case verbs, driver, umem, hmm, fault, process

    fileprivate init(_ function: WatchedFunction) {
      switch function.part {
      case .verb: self = .verbs
      case .driver: self = .driver
      case .umem, .pin: self = .umem
      case .range, .walk: self = .hmm
      case .fault: self = .fault
      case .process: self = .process
      }
    }
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
  package var symbol: FunctionName
  /// Modules that may hold it; empty = vmlinux.
  package var modules: [String]
  package var role: Role
  package var way: Way
  package var need: Need
  /// What can no longer be told without it; nil when its absence is normal on many kernels.
  package var withoutIt: String?

  /// `symbol` is in ``WatchedFunction/all``.
  package init(
    _ symbol: FunctionName, modules: [String] = [], way: Way = .exit, need: Need = .always,
    withoutIt: String? = nil
  ) {
    guard let function = WatchedFunction.byName[symbol] else {
      preconditionFailure("\(symbol) is not in the table of watched functions")
    }
    id = mrt_hook(rawValue: function.number)
    self.symbol = symbol
    self.modules = modules
    role = Role(function)
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
      "ib_uverbs_reg_mr", modules: core, way: .operation,
      withoutIt: "registrations are not seen"),
    Hook(
      "ib_uverbs_rereg_mr", modules: core, way: .operation,
      withoutIt: "re-registrations are not seen"),
    Hook(
      "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", modules: core,
      way: .operation, withoutIt: "prefetch requests are not seen"),
    Hook(
      "ib_uverbs_handler_UVERBS_METHOD_REG_MR", modules: core,
      way: .operation),
    Hook(
      "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR",
      modules: core, way: .operation),
    Hook("rxe_reg_user_mr", modules: ["rdma_rxe"]),
    Hook("rxe_ib_advise_mr", modules: ["rdma_rxe"]),
    Hook(
      "rxe_ib_prefetch_mr_work", modules: ["rdma_rxe"],
      way: .operation),
    // Every packet runs these two, outside of any operation that is followed.
    Hook(
      "rxe_odp_map_range_and_lock", modules: ["rdma_rxe"],
      need: .layers),
    Hook("mr_check_range", modules: ["rdma_rxe"], need: .layers),
    Hook(
      "rxe_ib_invalidate_range", modules: ["rdma_rxe"],
      way: .entryAndExit, need: .statistics),
    Hook("mlx5_ib_reg_user_mr", modules: ["mlx5_ib"]),
    Hook("mlx5_ib_advise_mr", modules: ["mlx5_ib"]),
    Hook(
      "mlx5_ib_prefetch_mr_work", modules: ["mlx5_ib"],
      way: .operation),
    Hook("get_prefetchable_mr", modules: ["mlx5_ib"]),
    Hook(
      "pagefault_single_data_segment",
      modules: ["mlx5_ib"], way: .operation),
    Hook(
      "pagefault_mr", modules: ["mlx5_ib"],
      way: .operation),
    Hook("mlx5r_umr_update_xlt", modules: ["mlx5_ib"]),
    Hook(
      "mlx5_ib_invalidate_range", modules: ["mlx5_ib"],
      way: .entryAndExit, need: .statistics),
    Hook(
      "ib_umem_odp_get", modules: core,
      withoutIt: "page faults cannot be tied to their registration"),
    Hook("ib_umem_odp_alloc_implicit", modules: core),
    Hook("ib_umem_odp_alloc_child", modules: core),
    Hook(
      "ib_umem_odp_map_dma_and_lock", modules: core, way: .operation,
      withoutIt: "page faults and asynchronous prefetches are not seen"),
    Hook("ib_umem_odp_unmap_dma_pages", modules: core, need: .layers),
    Hook("ib_umem_odp_release", modules: core, need: .layers),
    Hook("ib_umem_get", modules: core),
    Hook("__ib_umem_get_va", modules: core),
    Hook(
      "migrate_pages",
      withoutIt: "pins that fail to move pages are not told from other lack of memory"),
    Hook("hmm_range_fault", withoutIt: "HMM's result is not seen"),
    Hook("hmm_range_fault_locked"),
    Hook("hmm_range_fault_unlocked_timeout"),
    Hook(
      "hmm_vma_walk_test",
      withoutIt: "mappings that HMM refuses are not named"),
    Hook("hmm_vma_walk_hole", withoutIt: "missing mappings are not named"),
    Hook(
      "hmm_vma_walk_pmd",
      withoutIt: "page-table entries that HMM rejects are not seen"),
    Hook("hmm_vma_walk_pud"),
    Hook("hmm_vma_walk_hugetlb_entry"),
    Hook("hmm_vma_handle_pte"),
    Hook(
      "dax_pte_fault_done", way: .tracepoint,
      withoutIt: "failing DAX faults have no fault code"),
    Hook("dax_pmd_fault_done", way: .tracepoint),
    Hook(
      "dax_iomap_fault",
      withoutIt: "the file system's own error behind a failing DAX fault is not seen"),
    Hook("hugetlb_fault"),
    Hook("handle_userfault"),
    Hook("xfs_iomap_write_direct", modules: ["xfs"]),
    Hook(
      "shmem_unused_huge_shrink",
      withoutIt: "a full tmpfs is not told from other failures of its faults"),
    Hook("ext4_should_retry_alloc", modules: ["ext4"]),
    Hook("handle_mm_fault", need: .faultCodes),
    Hook("oom_kill_process", way: .entryAndExit),
    Hook("sched_process_fork", way: .tracepoint, need: .follow),
    Hook("sched_process_exit", way: .tracepoint, need: .follow),
  ]
}
