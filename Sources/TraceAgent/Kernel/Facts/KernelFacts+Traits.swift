// SPDX-License-Identifier: Apache-2.0

import Model

extension KernelFacts {
  /// The rules and layouts of this kernel: by its symbols wherever one tells, by its release where none does.
  package var traits: KernelTraits {
    let symbols = offers.symbols
    let format = PageTableFormat.forKernel(
      PageTableFacts(
        hasCheckZappedPTE: symbols.has("arch_check_zapped_pte"),
        hasInsertPageMkwrite: symbols.has("vmf_insert_page_mkwrite"),
        hasMakeDeviceExclusive: symbols.has("make_device_exclusive")
          || symbols.has("make_device_exclusive_range"),
        release: number, levels: pagingLevels))
    var traits = KernelTraits(
      machine: machine, release: release, pageTables: format,
      specialRule: format.devmapBit == nil ? .noDevmap : .devmapUnknown,
      faultsOutsideWalk: symbols.has("hmm_range_fault_locked"), rejectsMixedMap: rejectsMixedMap,
      // "RDMA/umem: remove FOLL_FORCE usage", 6.2
      pinsForWriteAlways: (number ?? KernelRelease(7, 0)) < KernelRelease(6, 2),
      // "mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to file-backed mappings", 6.5
      refusesFilePins: (number ?? KernelRelease(7, 0)) >= KernelRelease(6, 5))
    traits.zeroPFN = zeroPFN
    return traits
  }

  private var number: KernelRelease? { KernelRelease(release) }

  /// Before 87c01d57fa23 (5.17, stable 5.10.94): no symbol tells.
  private var rejectsMixedMap: Bool {
    guard let number, number < KernelRelease(5, 17) else { return false }
    let stable = stableRelease ?? number
    return !(stable.major == 5 && stable.minor == 10 && stable.patch >= 94)
  }
}
