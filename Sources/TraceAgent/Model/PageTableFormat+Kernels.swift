// SPDX-License-Identifier: Apache-2.0

/// What of a running kernel decides its page-table layout.
package struct PageTableFacts: Equatable, Sendable {
  /// kallsyms has `arch_check_zapped_pte`: it came with shadow stacks (6.6), which took bit 58 for
  /// SAVED_DIRTY and moved DEVMAP to 57. Absent: DEVMAP is bit 58.
  package var hasCheckZappedPTE: Bool
  /// kallsyms has `vmf_insert_page_mkwrite` (6.15): fsdax maps ordinary pages, nothing sets DEVMAP
  /// any more, and device-exclusive entries have one swap type.
  package var hasInsertPageMkwrite: Bool
  /// kallsyms has `make_device_exclusive` or `make_device_exclusive_range` (5.14 and later,
  /// compiled with CONFIG_DEVICE_PRIVATE only).
  package var hasMakeDeviceExclusive: Bool
  /// CONFIG_DEVICE_PRIVATE where the configuration could be read; nil = go by
  /// ``hasMakeDeviceExclusive``. Before 5.14 no symbol tells.
  package var devicePrivate: Bool?
  /// `uname -r`: the last resort between numberings that no symbol tells apart (5.10, 5.14, 5.19,
  /// 6.2).
  package var release: KernelRelease?
  /// 4 or 5.
  package var levels: Int

  package init(
    hasCheckZappedPTE: Bool, hasInsertPageMkwrite: Bool, hasMakeDeviceExclusive: Bool,
    devicePrivate: Bool? = nil, release: KernelRelease?, levels: Int
  ) {
    self.hasCheckZappedPTE = hasCheckZappedPTE
    self.hasInsertPageMkwrite = hasInsertPageMkwrite
    self.hasMakeDeviceExclusive = hasMakeDeviceExclusive
    self.devicePrivate = devicePrivate
    self.release = release
    self.levels = levels
  }
}

extension PageTableFormat {
  /// The layout of the x86-64 kernel with these facts.
  package static func forKernel(_ facts: PageTableFacts) -> PageTableFormat {
    PageTableFormat(
      architecture: .x86_64, devmapBit: devmapBit(facts),
      savedDirtyBit: facts.hasCheckZappedPTE ? 58 : nil, swapTypes: swapTypes(facts),
      levels: facts.levels)
  }

  /// The layout of a kernel of which only the release is known, with the options of Debian.
  package static func forRelease(
    _ release: KernelRelease, architecture: Architecture = .x86_64, devicePrivate: Bool? = nil,
    levels: Int = 4
  ) -> PageTableFormat {
    let devicePrivate = devicePrivate ?? debianHasDevicePrivate(release)
    let facts = PageTableFacts(
      hasCheckZappedPTE: release >= KernelRelease(6, 6),
      hasInsertPageMkwrite: release >= KernelRelease(6, 15),
      hasMakeDeviceExclusive: devicePrivate, devicePrivate: devicePrivate, release: release,
      levels: levels)
    var format = forKernel(facts)
    format.hasUffdWP = release >= KernelRelease(5, 7)
    if architecture == .arm64 { format.becomeArm64(of: release, devicePrivate: devicePrivate) }
    return format
  }

  /// Debian's kernels have CONFIG_DEVICE_PRIVATE from 6.16 on.
  package static func debianHasDevicePrivate(_ release: KernelRelease) -> Bool {
    release >= KernelRelease(6, 16)
  }

  private static func devmapBit(_ facts: PageTableFacts) -> Int? {
    guard facts.hasCheckZappedPTE else { return 58 }
    guard facts.hasInsertPageMkwrite else { return 57 }
    // 6.15 and 6.16 never set the bit, but still define and test it.
    guard let release = facts.release else { return nil }
    return release < KernelRelease(6, 17) ? 57 : nil
  }

  private static func swapTypes(_ facts: PageTableFacts) -> SwapTypes {
    let devicePrivate = facts.devicePrivate ?? facts.hasMakeDeviceExclusive
    if facts.hasInsertPageMkwrite { return devicePrivate ? .v7 : .v7WithoutDevicePrivate }
    if facts.hasCheckZappedPTE { return devicePrivate ? .v612WithDevicePrivate : .v612 }
    // Bit 58 is DEVMAP: older than 6.6, and only the release says by how much.
    switch facts.release ?? KernelRelease(6, 1) {
    case KernelRelease(6, 2)...: return devicePrivate ? .v612WithDevicePrivate : .v612
    case KernelRelease(5, 19)...: return devicePrivate ? .v61WithDevicePrivate : .v61
    case KernelRelease(5, 14)...: return devicePrivate ? .v514WithDevicePrivate : .debian510
    default: return devicePrivate ? .v510WithDevicePrivate : .debian510
    }
  }
}
