// SPDX-License-Identifier: Apache-2.0

import Model

/// The functions of an operation, each inside the one that called it.
///
/// Only their returns were recorded. But a function that returned later and stands further out was
/// running when the one inside it returned: so much of it is known, and drawn.
struct LayerTree {
  var layer: Layer
  /// It was running from here on, and perhaps before: the return of the first function inside it.
  var sinceNs: UInt64
  var endNs: UInt64
  var inner: [LayerTree] = []

  /// What stands outermost, in order of time; all times are in `bounds`.
  static func trees(
    of operation: Operation, in bounds: ClosedRange<UInt64>
  ) -> [LayerTree] {
    var trees: [LayerTree] = []
    for layer in Layer.all(of: operation) {
      let end = min(max(layer.timeNs, bounds.lowerBound), bounds.upperBound)
      let inside = trees.reversed().prefix { $0.layer.depth > layer.depth }.count
      let inner = Array(trees.suffix(inside))
      trees.removeLast(inside)
      trees.append(
        LayerTree(layer: layer, sinceNs: inner.first?.sinceNs ?? end, endNs: end, inner: inner))
    }
    return trees
  }

  /// The return that all others follow from.
  var deepest: Layer { inner.first?.deepest ?? layer }
}

extension Layer {
  /// How far inside: a larger number is called, at whatever distance, by a smaller one.
  fileprivate var depth: Int {
    switch kind {
    case .layer: Self.depths[function] ?? (isUmem ? 20 : isVerb ? 0 : 10)
    // 7.3: the function that drivers call, around the one that walks.
    case .range: function == "hmm_range_fault_unlocked_timeout" ? 29 : 30
    // The fault phase of 7.3, which comes after the walk.
    case .walk: Self.depths[function] ?? 40
    case .fault: Self.depths[function] ?? 50
    }
  }

  private var isUmem: Bool { function.hasPrefix("ib_umem") || function.hasPrefix("__ib_umem") }
  private var isVerb: Bool { function.hasPrefix("ib_uverbs") }

  private static let depths: [FunctionName: Int] = [
    "pagefault_single_data_segment": 11, "pagefault_mr": 12, "rxe_odp_map_range_and_lock": 12,
    "mr_check_range": 12, "get_prefetchable_mr": 12, "mlx5r_umr_update_xlt": 12,
    "migrate_pages": 35, "hmm_range_fault_locked": 32, "hmm_vma_handle_pte": 45,
    "handle_userfault": 51, "hugetlb_fault": 51, "dax_iomap_fault": 52, "dax_pte_fault_done": 53,
    "dax_pmd_fault_done": 53, "xfs_iomap_write_direct": 60,
  ]
}
