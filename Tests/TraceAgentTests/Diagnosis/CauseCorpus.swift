// SPDX-License-Identifier: Apache-2.0

import Model

/// Evidence that must lead to a cause, and its nearest neighbour that must not: what the tests of
/// the whole table stand on.
struct CorpusEntry: Sendable {
  var cause: String
  /// The kernel check, as in `Cause.sites`.
  var site: String
  var confidence: Diagnosis.Confidence
  var scene: Scene
  /// The same but for what decides.
  var neighbour: Scene

  init(
    _ cause: String, _ site: String, _ confidence: Diagnosis.Confidence, _ scene: Scene,
    neighbour: (inout Scene) -> Void
  ) {
    self.cause = cause
    self.site = site
    self.confidence = confidence
    self.scene = scene
    self.neighbour = scene.changed(neighbour)
  }

  /// Proved.
  init(_ cause: String, _ site: String, _ scene: Scene, neighbour: (inout Scene) -> Void) {
    self.init(cause, site, .proved, scene, neighbour: neighbour)
  }

  static let all =
    memoryEntries + faultEntries + backingEntries + pinEntries + verbEntries + umemEntries
    + refusalEntries
}

/// Kernel functions whose failure is recorded, by the group of hooks in which they can be missing.
enum Watched {
  static let verbs: Set<String> = ["ib_uverbs_reg_mr", "ib_uverbs_rereg_mr"]
  static let driver: Set<String> = [
    "rxe_reg_user_mr", "rxe_ib_advise_mr", "rxe_odp_map_range_and_lock", "mr_check_range",
    "mlx5_ib_reg_user_mr", "mlx5_ib_advise_mr", "get_prefetchable_mr", "pagefault_mr",
    "pagefault_single_data_segment", "mlx5r_umr_update_xlt",
  ]
  static let umem: Set<String> = [
    "ib_umem_get", "__ib_umem_get_va", "ib_umem_odp_get", "ib_umem_odp_alloc_implicit",
    "ib_umem_odp_alloc_child", "ib_umem_odp_map_dma_and_lock",
  ]
  static let walks: Set<String> = [
    "hmm_vma_walk_test", "hmm_vma_walk_hole", "hmm_vma_walk_pmd", "hmm_vma_walk_pud",
    "hmm_vma_walk_hugetlb_entry", "hmm_vma_handle_pte",
  ]
  static let ranges: Set<String> = [
    "hmm_range_fault", "hmm_range_fault_locked", "hmm_range_fault_unlocked_timeout",
  ]
  static let faults: Set<String> = [
    "handle_mm_fault", "dax_pte_fault_done", "dax_pmd_fault_done", "dax_iomap_fault",
    "hugetlb_fault", "handle_userfault", "xfs_iomap_write_direct", "shmem_unused_huge_shrink",
    "ext4_should_retry_alloc",
  ]
  static let pins: Set<String> = ["migrate_pages"]
  static let all = verbs.union(driver).union(umem).union(walks).union(ranges).union(faults)
    .union(pins)
}

extension Scene {
  /// `change` made to a scene, as an expression.
  static func make(
    _ kind: Operation.Kind, _ errno: Errno, on kernel: Kernel = .v61,
    _ change: (inout Scene) -> Void
  ) -> Scene {
    Scene(kind, errno, on: kernel).changed(change)
  }

  /// A file mapping of another file system than the usual.
  mutating func mapFile(
    _ filesystem: String, path: String, mode: UInt32 = 0o100644, fsdax: Bool = false,
    flags: VMAFlags = [.read, .write], size: UInt64 = 0x20_0000
  ) {
    map(.tmpfs, flags, size: size)
    let last = operation.mappings.count - 1
    operation.mappings[last].isFSDAX = fsdax
    operation.mappings[last].isHugeTLB = filesystem == "hugetlbfs"
    operation.mappings[last].file?.filesystem = filesystem
    operation.mappings[last].file?.path = path
    operation.mappings[last].file?.mode = mode
  }

  /// The last witness says why.
  mutating func error(_ errno: Errno) {
    operation.faults[operation.faults.count - 1].error = -errno.rawValue
  }

  mutating func removeFlags(_ flags: VMAFlags) {
    for index in operation.mappings.indices { operation.mappings[index].vmFlags &= ~flags.rawValue }
  }
}
