// SPDX-License-Identifier: Apache-2.0

/// A kernel function that can be watched: its number in recordings (`enum mrt_hook` of bpf/events.h), its name in the
/// kernel's source, and its place among the others.
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

  package let number: UInt32
  package let name: FunctionName
  package let part: Part
  /// How far inside: a larger number is called, at whatever distance, by a smaller one.
  package let depth: Int

  private init(_ number: UInt32, _ name: FunctionName, _ part: Part, _ depth: Int) {
    self.number = number
    self.name = name
    self.part = part
    self.depth = depth
  }

  /// Deeper than this is what a page fault or a pin calls.
  package static let rangeDepth = 30

  /// All of them; where two have one number, the kernel has one of them at most.
  package static let all: [WatchedFunction] = [
    .init(1, "ib_uverbs_reg_mr", .verb, 0),
    .init(2, "ib_uverbs_rereg_mr", .verb, 0),
    .init(3, "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", .verb, 0),
    .init(4, "ib_uverbs_handler_UVERBS_METHOD_REG_MR", .verb, 0),
    .init(5, "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR", .verb, 0),
    .init(10, "rxe_reg_user_mr", .driver, 10),
    .init(11, "rxe_ib_advise_mr", .driver, 10),
    .init(12, "rxe_ib_prefetch_mr_work", .driver, 10),
    .init(13, "rxe_odp_map_range_and_lock", .driver, 12),
    .init(14, "mr_check_range", .driver, 12),
    .init(15, "rxe_ib_invalidate_range", .driver, 10),
    .init(20, "mlx5_ib_reg_user_mr", .driver, 10),
    .init(21, "mlx5_ib_advise_mr", .driver, 10),
    .init(22, "mlx5_ib_prefetch_mr_work", .driver, 10),
    .init(23, "pagefault_mr", .driver, 12),
    .init(24, "get_prefetchable_mr", .driver, 12),
    .init(25, "pagefault_single_data_segment", .driver, 11),
    .init(26, "mlx5r_umr_update_xlt", .driver, 12),
    .init(27, "mlx5_ib_invalidate_range", .driver, 10),
    .init(30, "ib_umem_odp_get", .umem, 20),
    .init(31, "ib_umem_odp_alloc_implicit", .umem, 20),
    .init(32, "ib_umem_odp_alloc_child", .umem, 20),
    .init(33, "ib_umem_odp_map_dma_and_lock", .umem, 20),
    .init(34, "ib_umem_odp_unmap_dma_pages", .umem, 20),
    .init(35, "ib_umem_odp_release", .umem, 20),
    .init(36, "ib_umem_get", .pin, 20),
    .init(36, "__ib_umem_get_va", .pin, 20),
    .init(40, "hmm_range_fault", .range, rangeDepth),
    .init(41, "hmm_range_fault_locked", .range, rangeDepth),
    // 7.3: the function that drivers call, around the one that walks.
    .init(42, "hmm_range_fault_unlocked_timeout", .range, rangeDepth - 1),
    .init(43, "hmm_vma_walk_test", .walk, 40),
    .init(44, "hmm_vma_walk_hole", .walk, 40),
    .init(45, "hmm_vma_walk_pmd", .walk, 40),
    .init(46, "hmm_vma_walk_pud", .walk, 40),
    .init(47, "hmm_vma_walk_hugetlb_entry", .walk, 40),
    .init(48, "hmm_vma_handle_pte", .walk, 45),
    .init(50, "migrate_pages", .umem, 35),
    .init(60, "handle_mm_fault", .fault, 50),
    .init(61, "dax_pte_fault_done", .fault, 53),
    .init(62, "dax_pmd_fault_done", .fault, 53),
    .init(63, "dax_iomap_fault", .fault, 52),
    .init(64, "hugetlb_fault", .fault, 51),
    .init(65, "handle_userfault", .fault, 51),
    .init(66, "xfs_iomap_write_direct", .fault, 60),
    .init(67, "shmem_unused_huge_shrink", .fault, 60),
    .init(68, "ext4_should_retry_alloc", .fault, 60),
    .init(70, "sched_process_fork", .process, 0),
    .init(71, "sched_process_exit", .process, 0),
    .init(72, "oom_kill_process", .process, 0),
  ]

  package static let byName: [FunctionName: WatchedFunction] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  package static func names(of part: Part) -> Set<FunctionName> {
    Set(all.filter { $0.part == part }.map(\.name))
  }
}
