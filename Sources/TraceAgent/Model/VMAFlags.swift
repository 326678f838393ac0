// SPDX-License-Identifier: Apache-2.0

/// vm_area_struct.vm_flags (include/linux/mm.h); those named here are the same from 5.10 to 7.3.
package struct VMAFlags: OptionSet, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static let read = VMAFlags(rawValue: 1 << 0)
  package static let write = VMAFlags(rawValue: 1 << 1)
  package static let exec = VMAFlags(rawValue: 1 << 2)
  package static let shared = VMAFlags(rawValue: 1 << 3)
  package static let mayWrite = VMAFlags(rawValue: 1 << 5)
  package static let mayShare = VMAFlags(rawValue: 1 << 7)
  package static let uffdMissing = VMAFlags(rawValue: 1 << 9)
  package static let pfnMap = VMAFlags(rawValue: 1 << 10)
  package static let uffdWP = VMAFlags(rawValue: 1 << 12)
  package static let io = VMAFlags(rawValue: 1 << 14)
  package static let noReserve = VMAFlags(rawValue: 1 << 21)
  package static let hugetlb = VMAFlags(rawValue: 1 << 22)
  package static let mixedMap = VMAFlags(rawValue: 1 << 28)

  /// What a person needs to know of a mapping: permissions, kind and advice, lowest bit first.
  ///
  /// Left out is bookkeeping that every mapping has (MAYREAD, MAYEXEC, MAYSHARE, ACCOUNT,
  /// NORESERVE, SOFTDIRTY); MAYWRITE is named only where WRITE is clear, since only there it says
  /// something: mprotect() could set it.
  ///
  /// `kernel` tells what two bits mean that have meant two things; nil: they are shown as numbers.
  package static func names(_ value: UInt64, of kernel: KernelRelease?) -> [String] {
    var shown = value & ~bookkeeping
    if value & VMAFlags.write.rawValue != 0 { shown &= ~VMAFlags.mayWrite.rawValue }
    return FlagNames.of(shown, in: table(of: kernel))
  }

  /// All names of x86-64's bits, in their order.
  package static func table(of kernel: KernelRelease?) -> [(bit: Int, name: String)] {
    guard let kernel else { return always }
    let some = sometimes.filter { kernel >= $0.from && kernel < $0.until }
    return (always + some.map { ($0.bit, $0.name) }).sorted { $0.bit < $1.bit }
  }

  private static let bookkeeping: UInt64 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 20 | 1 << 21 | 1 << 27

  /// Bits that mean the same wherever they mean something: UFFD_MINOR and SEALED have moved, to
  /// bits that nothing else has had.
  private static let always: [(bit: Int, name: String)] = [
    (0, "READ"), (1, "WRITE"), (2, "EXEC"), (3, "SHARED"), (4, "MAYREAD"), (5, "MAYWRITE"),
    (6, "MAYEXEC"), (7, "MAYSHARE"), (8, "GROWSDOWN"), (9, "UFFD_MISSING"), (10, "PFNMAP"),
    (12, "UFFD_WP"), (13, "LOCKED"), (14, "IO"), (15, "SEQ_READ"), (16, "RAND_READ"),
    (17, "DONTCOPY"), (18, "DONTEXPAND"), (19, "LOCKONFAULT"), (20, "ACCOUNT"), (21, "NORESERVE"),
    (22, "HUGETLB"), (23, "SYNC"), (24, "PAT"), (25, "WIPEONFORK"), (26, "DONTDUMP"),
    (27, "SOFTDIRTY"), (28, "MIXEDMAP"), (29, "HUGEPAGE"), (30, "NOHUGEPAGE"), (31, "MERGEABLE"),
    (32, "PKEY_BIT0"), (33, "PKEY_BIT1"), (34, "PKEY_BIT2"), (35, "PKEY_BIT3"),
    (38, "UFFD_MINOR"), (39, "ALLOW_ANY_UNCACHED"), (40, "DROPPABLE"), (41, "UFFD_MINOR"),
    (42, "SEALED"), (43, "UFFD_RWP"), (63, "SEALED"),
  ]

  private static let sometimes:
    [(bit: Int, name: String, from: KernelRelease, until: KernelRelease)] = [
      (11, "DENYWRITE", KernelRelease(2, 6), KernelRelease(5, 16)),
      (11, "MAYBE_GUARD", KernelRelease(6, 19), KernelRelease(1000, 0)),
      (37, "UFFD_MINOR", KernelRelease(5, 13), KernelRelease(6, 6)),
      (37, "SHADOW_STACK", KernelRelease(6, 6), KernelRelease(1000, 0)),
    ]

  /// A userfaultfd serves the mapping, in whatever mode: UFFD_MINOR where `kernel` has it.
  package func hasUserfaultfd(on kernel: KernelRelease?) -> Bool {
    VMAFlags.names(rawValue, of: kernel).contains { $0.hasPrefix("UFFD_") }
  }
}
