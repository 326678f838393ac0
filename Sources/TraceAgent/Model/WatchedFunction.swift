// SPDX-License-Identifier: Apache-2.0

/// A kernel function that can be watched: its number in recordings (`enum mrt_hook` of bpf/events.h), its name in the
/// kernel's source, its place among the others, and how it is attached. This is the one list of them: with a row here, a
/// number in bpf/events.h and a program in bpf/, a function is watched.
package struct WatchedFunction: Equatable, Sendable {
  package enum Part: Sendable {
    case verb, driver, umem
    /// Pins memory: no HMM is in it.
    case pin
    /// HMM: the range, and the callbacks of the page walk in it.
    case range, walk
    /// A page fault, and what it calls.
    case fault
    case process
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

  package let number: UInt32
  package let name: FunctionName
  package let part: Part
  /// How far inside: a larger number is called, at whatever distance, by a smaller one.
  package let depth: Int
  /// Modules that may hold it; empty = vmlinux.
  package let modules: [String]
  package let way: Way
  package let need: Need
  /// What can no longer be told without it; nil when its absence is normal on many kernels.
  package let withoutIt: String?

  private init(
    _ number: UInt32, _ name: FunctionName, _ part: Part, _ depth: Int, modules: [String] = [],
    way: Way = .exit, need: Need = .always, withoutIt: String? = nil
  ) {
    self.number = number
    self.name = name
    self.part = part
    self.depth = depth
    self.modules = modules
    self.way = way
    self.need = need
    self.withoutIt = withoutIt
  }

  /// Deeper than this is what a page fault or a pin calls.
  package static let rangeDepth = 30

  private static let core = ["ib_uverbs", "ib_core"]

  /// All of them, in the order in which `doctor` shows them; where two have one number, the kernel has one of them at most.
  package static let all: [WatchedFunction] = [
    .init(
      1, "ib_uverbs_reg_mr", .verb, 0, modules: core, way: .operation,
      withoutIt: "registrations are not seen"),
    .init(
      2, "ib_uverbs_rereg_mr", .verb, 0, modules: core, way: .operation,
      withoutIt: "re-registrations are not seen"),
    .init(
      3, "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", .verb, 0, modules: core, way: .operation,
      withoutIt: "prefetch requests are not seen"),
    .init(4, "ib_uverbs_handler_UVERBS_METHOD_REG_MR", .verb, 0, modules: core, way: .operation),
    .init(
      5, "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR", .verb, 0, modules: core, way: .operation),
    .init(10, "rxe_reg_user_mr", .driver, 10, modules: ["rdma_rxe"]),
    .init(11, "rxe_ib_advise_mr", .driver, 10, modules: ["rdma_rxe"]),
    .init(12, "rxe_ib_prefetch_mr_work", .driver, 10, modules: ["rdma_rxe"], way: .operation),
    // Every packet runs these two, outside of any operation that is followed.
    .init(13, "rxe_odp_map_range_and_lock", .driver, 12, modules: ["rdma_rxe"], need: .layers),
    .init(14, "mr_check_range", .driver, 12, modules: ["rdma_rxe"], need: .layers),
    .init(
      15, "rxe_ib_invalidate_range", .driver, 10, modules: ["rdma_rxe"], way: .entryAndExit,
      need: .statistics),
    .init(20, "mlx5_ib_reg_user_mr", .driver, 10, modules: ["mlx5_ib"]),
    .init(21, "mlx5_ib_advise_mr", .driver, 10, modules: ["mlx5_ib"]),
    .init(22, "mlx5_ib_prefetch_mr_work", .driver, 10, modules: ["mlx5_ib"], way: .operation),
    .init(24, "get_prefetchable_mr", .driver, 12, modules: ["mlx5_ib"]),
    .init(25, "pagefault_single_data_segment", .driver, 11, modules: ["mlx5_ib"], way: .operation),
    .init(23, "pagefault_mr", .driver, 12, modules: ["mlx5_ib"], way: .operation),
    .init(26, "mlx5r_umr_update_xlt", .driver, 12, modules: ["mlx5_ib"]),
    .init(
      27, "mlx5_ib_invalidate_range", .driver, 10, modules: ["mlx5_ib"], way: .entryAndExit,
      need: .statistics),
    .init(
      30, "ib_umem_odp_get", .umem, 20, modules: core,
      withoutIt: "page faults cannot be tied to their registration"),
    .init(31, "ib_umem_odp_alloc_implicit", .umem, 20, modules: core),
    .init(32, "ib_umem_odp_alloc_child", .umem, 20, modules: core),
    .init(
      33, "ib_umem_odp_map_dma_and_lock", .umem, 20, modules: core, way: .operation,
      withoutIt: "page faults and asynchronous prefetches are not seen"),
    .init(34, "ib_umem_odp_unmap_dma_pages", .umem, 20, modules: core, need: .layers),
    .init(35, "ib_umem_odp_release", .umem, 20, modules: core, need: .layers),
    .init(36, "ib_umem_get", .pin, 20, modules: core),
    .init(36, "__ib_umem_get_va", .pin, 20, modules: core),
    .init(
      50, "migrate_pages", .umem, 35,
      withoutIt: "pins that fail to move pages are not told from other lack of memory"),
    .init(40, "hmm_range_fault", .range, rangeDepth, withoutIt: "HMM's result is not seen"),
    .init(41, "hmm_range_fault_locked", .range, rangeDepth),
    // 7.3: the function that drivers call, around the one that walks.
    .init(42, "hmm_range_fault_unlocked_timeout", .range, rangeDepth - 1),
    .init(43, "hmm_vma_walk_test", .walk, 40, withoutIt: "mappings that HMM refuses are not named"),
    .init(44, "hmm_vma_walk_hole", .walk, 40, withoutIt: "missing mappings are not named"),
    .init(
      45, "hmm_vma_walk_pmd", .walk, 40,
      withoutIt: "page-table entries that HMM rejects are not seen"),
    .init(46, "hmm_vma_walk_pud", .walk, 40),
    .init(47, "hmm_vma_walk_hugetlb_entry", .walk, 40),
    .init(48, "hmm_vma_handle_pte", .walk, 45),
    .init(
      61, "dax_pte_fault_done", .fault, 53, way: .tracepoint,
      withoutIt: "failing DAX faults have no fault code"),
    .init(62, "dax_pmd_fault_done", .fault, 53, way: .tracepoint),
    .init(
      63, "dax_iomap_fault", .fault, 52,
      withoutIt: "the file system's own error behind a failing DAX fault is not seen"),
    .init(64, "hugetlb_fault", .fault, 51),
    .init(65, "handle_userfault", .fault, 51),
    .init(66, "xfs_iomap_write_direct", .fault, 60, modules: ["xfs"]),
    .init(
      67, "shmem_unused_huge_shrink", .fault, 60,
      withoutIt: "a full tmpfs is not told from other failures of its faults"),
    .init(68, "ext4_should_retry_alloc", .fault, 60, modules: ["ext4"]),
    .init(60, "handle_mm_fault", .fault, 50, need: .faultCodes),
    .init(72, "oom_kill_process", .process, 0, way: .entryAndExit),
    .init(70, "sched_process_fork", .process, 0, way: .tracepoint, need: .follow),
    .init(71, "sched_process_exit", .process, 0, way: .tracepoint, need: .follow),
  ]

  package static let byName: [FunctionName: WatchedFunction] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  package static func names(of part: Part) -> Set<FunctionName> {
    Set(all.filter { $0.part == part }.map(\.name))
  }
}
