// SPDX-License-Identifier: Apache-2.0

/// Offset bits of a PTE marker (include/linux/swapops.h, leafops.h).
package struct PTEMarker: OptionSet, Hashable, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  /// 6.1 and later.
  package static let uffdWP = PTEMarker(rawValue: 1)
  /// 6.2 and later: the page's data is lost.
  package static let poisoned = PTEMarker(rawValue: 2)
  /// 6.13 and later: MADV_GUARD_INSTALL.
  package static let guardRegion = PTEMarker(rawValue: 4)
}

/// What one page-table entry says, read by the rules of the kernel that wrote it.
package struct DecodedEntry: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// Nothing there: pte_none().
    case none
    /// Maps a page.
    case present
    /// Points to a lower table.
    case table
    /// Mapped, but closed to the CPU: PROT_NONE or NUMA hinting (pte_protnone()).
    case protnone
    /// In swap file number `type`.
    case swap(type: UInt8)
    case migrationRead
    case migrationReadExclusive
    case migrationWrite
    case hwpoison
    case devicePrivateRead
    case devicePrivateWrite
    case deviceExclusive
    case marker(PTEMarker)
    /// 5.19 to 6.1: swapping in failed.
    case swapinError
    /// Neither leaf nor table (pmd_bad()), or a swap type that this kernel does not have.
    case bad
  }

  package var raw: UInt64
  package var level: PageTableLevel
  package var kind: Kind
  /// Names of the flags that are set and that this kernel defines; for a non-present entry what it
  /// is.
  package var flags: [String]
  /// The page frame it maps or stands for; nil for none, swap and markers.
  package var pfn: UInt64?
  /// pte_write(), apart from shadow stacks.
  package var isWritable: Bool
  package var isSpecial: Bool
  package var isDevmap: Bool

  package var isPresentLeaf: Bool { kind == .present }

  /// "PTE", "PMD", …
  package var levelName: String {
    switch level {
    case .pte: "PTE"
    case .pmd: "PMD"
    case .pud: "PUD"
    case .p4d: "P4D"
    case .pgd: "PGD"
    }
  }
}

extension DecodedEntry.Kind {
  /// The name of what a swap-type entry stands for; empty for all others.
  var softName: String {
    switch self {
    case .swap: return "SWAP"
    case .migrationRead: return "MIGRATION_READ"
    case .migrationReadExclusive: return "MIGRATION_READ_EXCLUSIVE"
    case .migrationWrite: return "MIGRATION_WRITE"
    case .hwpoison: return "HWPOISON"
    case .devicePrivateRead: return "DEVICE_PRIVATE_READ"
    case .devicePrivateWrite: return "DEVICE_PRIVATE_WRITE"
    case .deviceExclusive: return "DEVICE_EXCLUSIVE"
    case .swapinError: return "SWAPIN_ERROR"
    case .marker(let marker):
      var names: [String] = []
      if marker.contains(.guardRegion) { names.append("GUARD") }
      if marker.contains(.poisoned) { names.append("POISONED") }
      if marker.contains(.uffdWP) { names.append("UFFD_WP") }
      return names.isEmpty ? "PTE_MARKER" : "PTE_MARKER_" + names.joined(separator: "_")
    case .none, .present, .table, .protnone, .bad: return ""
    }
  }
}
