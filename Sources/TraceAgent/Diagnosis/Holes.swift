// SPDX-License-Identifier: Apache-2.0

import Model

/// Functions on the way from a verb to the page, whose place in the chain is known.
private let walkCallbacks: Set<FunctionName> = [
  "hmm_vma_walk_test", "hmm_vma_walk_hole", "hmm_vma_walk_pmd", "hmm_vma_walk_pud",
  "hmm_vma_walk_hugetlb_entry", "hmm_vma_handle_pte",
]
private let rangeFaults: Set<FunctionName> = [
  "hmm_range_fault", "hmm_range_fault_locked", "hmm_range_fault_unlocked_timeout",
]
private let pins: Set<FunctionName> = ["ib_umem_get", "__ib_umem_get_va"]
private let map: FunctionName = "ib_umem_odp_map_dma_and_lock"

extension Case {
  /// Where the chain lacks a function of which runs were missed meanwhile, a reason each: it may have
  /// failed unseen.
  var holes: [String] {
    guard !missed.isEmpty else { return [] }
    // Nothing was seen: whatever was missed may have been there.
    if isBare { return reasons(missed) }
    // A pin does not come near HMM.
    if layers.contains(where: { pins.contains($0.function) }) { return [] }
    var absent: Set<FunctionName> = []
    if walks.isEmpty { absent.formUnion(walkCallbacks) }
    // 7.3 has one inside the other; the inner one's failed fault is told as a walk.
    absent.formUnion(rangeFaults.subtracting(ranges.map(\.function) + walks.map(\.function)))
    if !layers.contains(where: { $0.function == map }) { absent.insert(map) }
    if walks.isEmpty, ranges.isEmpty { absent.formUnion(pins) }
    return reasons(absent.intersection(missed))
  }

  private func reasons(_ functions: Set<FunctionName>) -> [String] {
    functions.sorted().map {
      "runs of \($0) were missed while it ran, and its chain lacks it"
    }
  }
}
