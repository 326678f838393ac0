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
  /// Not told by the kernel's symbols: the fix of 2021 (4b42fb213678) leaves no trace in kallsyms or BTF. A
  /// special+devmap entry is rejected by a kernel without it, accepted by one with it.
  case devmapUnknown = "devmap-unknown"
  /// Kernels whose page tables have no DEVMAP bit: every special PTE without page, but the zero page.
  case noDevmap = "no-devmap"
}

/// The layout of page-table entries, chosen by architecture and generation.
package struct PageTableFormat: Equatable, Sendable {
  /// arm64 is only explained: the agent itself runs on x86-64.
  package enum Architecture: String, Sendable, CaseIterable { case x86_64, arm64 }

  package var architecture: Architecture
  /// The software bit that says DEVMAP: 58 (before 6.6), 57 (6.6 to 6.16), nil (gone).
  package var devmapBit: Int?
  /// Bit 58 is SAVED_DIRTY (6.6 and later).
  package var savedDirtyBit: Int?
  /// The lowest swap type that is not a swap file, and what the types from there on mean.
  package var swapTypes: SwapTypes
  /// 4 or 5.
  package var levels: Int
  /// Userfaultfd's write protection has a bit: everywhere but before 5.7.
  package var hasUffdWP = true
  /// Where the bits of arm64 lie; nil on x86-64.
  package var arm64: Arm64Layout?

  package init(
    architecture: Architecture, devmapBit: Int?, savedDirtyBit: Int?, swapTypes: SwapTypes,
    levels: Int
  ) {
    self.architecture = architecture
    self.devmapBit = devmapBit
    self.savedDirtyBit = savedDirtyBit
    self.swapTypes = swapTypes
    self.levels = levels
  }
}

/// One numbering of non-swap "swap" types (`enum` in include/linux/swap.h).
package struct SwapTypes: Equatable, Sendable {
  package var maxSwapFiles: UInt8
  package var hwpoison: UInt8
  package var migrationRead: UInt8
  package var migrationReadExclusive: UInt8?
  package var migrationWrite: UInt8
  package var deviceWrite: UInt8?
  package var deviceRead: UInt8?
  /// Device-exclusive entries: one or two types.
  package var deviceExclusive: [UInt8]
  package var pteMarker: UInt8?
  package var swapinError: UInt8?

  package init(
    maxSwapFiles: UInt8, hwpoison: UInt8, migrationRead: UInt8, migrationReadExclusive: UInt8?,
    migrationWrite: UInt8, deviceWrite: UInt8?, deviceRead: UInt8?, deviceExclusive: [UInt8],
    pteMarker: UInt8?, swapinError: UInt8?
  ) {
    self.maxSwapFiles = maxSwapFiles
    self.hwpoison = hwpoison
    self.migrationRead = migrationRead
    self.migrationReadExclusive = migrationReadExclusive
    self.migrationWrite = migrationWrite
    self.deviceWrite = deviceWrite
    self.deviceRead = deviceRead
    self.deviceExclusive = deviceExclusive
    self.pteMarker = pteMarker
    self.swapinError = swapinError
  }
}
