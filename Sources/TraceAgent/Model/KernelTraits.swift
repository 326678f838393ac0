// SPDX-License-Identifier: Apache-2.0

/// What must be known of a kernel to read its page tables and to replay its rules.
///
/// Found by behaviour when recording (kallsyms, BTF; Kernel/Facts/KernelFacts.swift), carried by the recording's
/// environment block, and so known on any machine that reads the recording.
package struct KernelTraits: Equatable, Sendable {
  /// The machine's architecture, as `uname -m` prints it.
  package var machine: String
  /// `uname -r`.
  package var release: String
  /// The page-table layout in force.
  package var pageTables: PageTableFormat
  /// Where HMM looks at a special PTE, and which of them it lets pass.
  package var specialRule: SpecialRule
  /// Kernel 7.3 and later: walk callbacks never fault, `hmm_range_fault_locked()` does.
  package var faultsOutsideWalk: Bool
  /// `hmm_vma_handle_pte()` rejects VM_MIXEDMAP mappings in `hmm_vma_walk_test()` (before 5.17, 5.10.94).
  package var rejectsMixedMap: Bool
  /// A read-only MR is pinned with FOLL_WRITE|FOLL_FORCE (up to 6.1).
  package var pinsForWriteAlways: Bool
  /// A long-term write pin of a file mapping that needs dirty tracking is refused (6.5 and later).
  package var refusesFilePins: Bool
  /// Page frame number of the shared zero page, whose special PTE HMM accepts; nil = not known.
  package var zeroPFN: UInt64?

  package init(
    machine: String, release: String, pageTables: PageTableFormat, specialRule: SpecialRule,
    faultsOutsideWalk: Bool, rejectsMixedMap: Bool, pinsForWriteAlways: Bool, refusesFilePins: Bool
  ) {
    self.machine = machine
    self.release = release
    self.pageTables = pageTables
    self.specialRule = specialRule
    self.faultsOutsideWalk = faultsOutsideWalk
    self.rejectsMixedMap = rejectsMixedMap
    self.pinsForWriteAlways = pinsForWriteAlways
    self.refusesFilePins = refusesFilePins
  }
}

/// Which special PTEs `hmm_vma_handle_pte()` rejects.
package enum SpecialRule: String, Equatable, Sendable, CaseIterable {
  /// Not told by the kernel's symbols: ``DevmapFix`` leaves no trace in kallsyms or BTF. A
  /// special+devmap entry is rejected by a kernel without it, accepted by one with it.
  case devmapUnknown = "devmap-unknown"
  /// Kernels whose page tables have no DEVMAP bit: every special PTE without page, but the zero page.
  case noDevmap = "no-devmap"
}
