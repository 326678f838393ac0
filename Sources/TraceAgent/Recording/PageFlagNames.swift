// SPDX-License-Identifier: Apache-2.0

import Model

/// Names of the bits of a present page-table entry, for the dictionary in the metadata.
enum PageFlagNames {
  /// Bits of `format` with their masks, lowest first (arch/x86/include/asm/pgtable_types.h).
  static func of(_ format: PageTableFormat) -> [(name: String, value: UInt64)] {
    var bits: [(Int, String)]
    switch format.architecture {
    case .x86_64:
      // Bit 7 is PAT in a PTE and PSE above; bit 8 is PROTNONE where PRESENT is clear.
      bits = [
        (0, "PRESENT"), (1, "RW"), (2, "USER"), (3, "PWT"), (4, "PCD"), (5, "ACCESSED"),
        (6, "DIRTY"), (7, "PSE"), (8, "GLOBAL"), (9, "SPECIAL"), (10, "UFFD_WP"),
        (11, "SOFT_DIRTY"), (63, "NX"),
      ]
    case .arm64: bits = []
    }
    if let bit = format.devmapBit { bits.append((bit, "DEVMAP")) }
    if let bit = format.savedDirtyBit { bits.append((bit, "SAVED_DIRTY")) }
    return bits.sorted { $0.0 < $1.0 }.map { ($0.1, 1 << UInt64($0.0)) }
  }
}
