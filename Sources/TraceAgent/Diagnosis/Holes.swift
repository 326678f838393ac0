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
private let map: FunctionName = "ib_umem_odp_map_dma_and_lock"

extension Case {
  /// Where the chain lacks a function of which runs were missed meanwhile, a reason each: it may have
  /// failed unseen.
  var holes: [String] {
    guard !missed.isEmpty else { return [] }
    let failedMap = layers.contains { $0.function == map }
    var absent: Set<FunctionName> = []
    if walks.isEmpty, !ranges.isEmpty || failedMap || isBare {
      absent.formUnion(walkCallbacks)
    }
    if ranges.isEmpty, !walks.isEmpty || failedMap || isBare { absent.formUnion(rangeFaults) }
    if !failedMap, !walks.isEmpty || !ranges.isEmpty || isBare { absent.insert(map) }
    // A pin, or a driver's own refusal: nothing of it was seen though it may have been there.
    if isBare { absent.formUnion(missed) }
    return absent.intersection(missed).sorted().map {
      "runs of \($0) were missed while it ran, and its chain lacks it"
    }
  }
}
