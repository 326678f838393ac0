// SPDX-License-Identifier: Apache-2.0

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

extension PageTableFormat {
  /// Reads one entry of `level` (arch/x86/include/asm/pgtable.h, pgtable-invert.h).
  package func decode(_ raw: UInt64, level: PageTableLevel) -> DecodedEntry {
    switch architecture {
    case .x86_64: X86Entry(raw: raw, level: level, format: self).decoded
    case .arm64: Arm64Entry(raw: raw, level: level, format: self).decoded
    }
  }
}
