// SPDX-License-Identifier: Apache-2.0

/// vm_area_struct.vm_flags (include/linux/mm.h), the bits that are the same from 5.10 to 7.3.
package struct VMAFlags: OptionSet, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static let read = VMAFlags(rawValue: 1 << 0)
  package static let write = VMAFlags(rawValue: 1 << 1)
  package static let exec = VMAFlags(rawValue: 1 << 2)
  package static let shared = VMAFlags(rawValue: 1 << 3)
  package static let mayWrite = VMAFlags(rawValue: 1 << 5)
  package static let uffdMissing = VMAFlags(rawValue: 1 << 9)
  package static let pfnMap = VMAFlags(rawValue: 1 << 10)
  package static let uffdWP = VMAFlags(rawValue: 1 << 12)
  package static let io = VMAFlags(rawValue: 1 << 14)
  package static let hugetlb = VMAFlags(rawValue: 1 << 22)
  package static let mixedMap = VMAFlags(rawValue: 1 << 28)

  /// What a person needs to know of a mapping: permissions, kind and advice, lowest bit first.
  ///
  /// Left out is bookkeeping that every mapping has (MAYREAD, MAYEXEC, MAYSHARE, ACCOUNT,
  /// NORESERVE, SOFTDIRTY); MAYWRITE is named only where WRITE is clear, since only there it says
  /// something: mprotect() could set it.
  package static func names(_ value: UInt64) -> [String] {
    var shown = value & ~bookkeeping
    if value & VMAFlags.write.rawValue != 0 { shown &= ~VMAFlags.mayWrite.rawValue }
    return FlagNames.of(shown, in: table)
  }

  private static let bookkeeping: UInt64 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 20 | 1 << 21 | 1 << 27

  /// Bit 11 was DENYWRITE before it became MAYBE_GUARD in 7.3, and bits from 32 on depend on
  /// architecture and version: those are shown as numbers.
  private static let table: [(bit: Int, name: String)] = [
    (0, "READ"), (1, "WRITE"), (2, "EXEC"), (3, "SHARED"), (5, "MAYWRITE"), (8, "GROWSDOWN"),
    (9, "UFFD_MISSING"), (10, "PFNMAP"), (12, "UFFD_WP"), (13, "LOCKED"), (14, "IO"),
    (15, "SEQ_READ"), (16, "RAND_READ"), (17, "DONTCOPY"), (18, "DONTEXPAND"), (19, "LOCKONFAULT"),
    (22, "HUGETLB"), (23, "SYNC"), (25, "WIPEONFORK"), (26, "DONTDUMP"), (28, "MIXEDMAP"),
    (29, "HUGEPAGE"), (30, "NOHUGEPAGE"), (31, "MERGEABLE"),
  ]
}
