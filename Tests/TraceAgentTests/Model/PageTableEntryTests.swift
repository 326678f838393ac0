// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct PageTableEntryTests {
  static let v510 = format(devmap: 58, saved: nil, .debian510)
  static let v61 = format(devmap: 58, saved: nil, .v61)
  static let v61Private = format(devmap: 58, saved: nil, .v61WithDevicePrivate)
  static let v612 = format(devmap: 57, saved: 58, .v612)
  static let v7 = format(devmap: nil, saved: 58, .v7)

  static func format(devmap: Int?, saved: Int?, _ types: SwapTypes) -> PageTableFormat {
    PageTableFormat(
      architecture: .x86_64, devmapBit: devmap, savedDirtyBit: saved, swapTypes: types, levels: 4)
  }

  /// A swap-type entry as pte_swp_entry() of x86-64 makes it.
  static func swap(type: UInt8, offset: UInt64) -> UInt64 {
    UInt64(type) << 59 | (~offset << 14) >> 5
  }

  // The fsdax PTE measured on a kernel with the 2021 bug.
  static let fsdax: UInt64 = 0x8400_0000_2804_0267

  @Test func measuredFsdaxEntryOn61() {
    let entry = Self.v61.decode(Self.fsdax, level: .pte)
    #expect(entry.kind == .present)
    #expect(
      entry.flags == [
        "PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SPECIAL", "DEVMAP", "NX",
      ])
    #expect(entry.pfn == 0x28040)
    #expect(entry.isWritable && entry.isSpecial && entry.isDevmap)
  }

  @Test func bit58IsSavedDirtyFrom66() {
    let entry = Self.v612.decode(Self.fsdax, level: .pte)
    #expect(entry.flags.contains("SAVED_DIRTY"))
    #expect(!entry.flags.contains("DEVMAP"))
    #expect(!entry.isDevmap)
    let moved = Self.v612.decode(Self.fsdax ^ 1 << 58 ^ 1 << 57, level: .pte)
    #expect(moved.isDevmap && moved.flags.contains("DEVMAP"))
  }

  @Test func withoutDevmapBitNothingIsDevmap() {
    let entry = Self.v7.decode(Self.fsdax | 1 << 57, level: .pte)
    #expect(!entry.isDevmap)
    #expect(!entry.flags.contains("DEVMAP"))
  }

  @Test func protectionKeyIsNumbered() {
    let entry = Self.v7.decode(0x25 | 3 << 59 | 0x1000, level: .pte)
    #expect(entry.flags == ["PRESENT", "USER", "ACCESSED", "PKEY3"])
    #expect(entry.pfn == 1)
  }

  @Test(arguments: [0, 0x20, 0x40, 0x60] as [UInt64])
  func strayAccessedAndDirtyAreNone(_ raw: UInt64) {
    let entry = Self.v61.decode(raw, level: .pte)
    #expect(entry.kind == .none)
    #expect(entry.flags.isEmpty)
    #expect(entry.pfn == nil)
  }

  @Test func protnoneFrameIsInverted() {
    // PROTNONE(8), frame 0x1234 inverted.
    let raw = ~(UInt64(0x1234) << 12) & 0x000f_ffff_ffff_f000 | 0x160
    let entry = Self.v61.decode(raw, level: .pte)
    #expect(entry.kind == .protnone)
    #expect(entry.pfn == 0x1234)
    #expect(entry.flags.contains("PROTNONE"))
    #expect(!entry.flags.contains("GLOBAL"))
  }

  @Test func measuredGuardMarker() {
    let entry = Self.v7.decode(0xffff_ffff_ffff_f600, level: .pte)
    #expect(entry.kind == .marker(.guardRegion))
    #expect(entry.flags == ["PTE_MARKER_GUARD"])
  }

  @Test func nonPresentBit58IsNotDevmap() {
    let entry = Self.v61.decode(Self.swap(type: 26, offset: 0x999), level: .pte)
    #expect(entry.kind == .hwpoison)
    #expect(entry.pfn == 0x999)
    #expect(entry.flags == ["HWPOISON"])
    #expect(!entry.isDevmap && !entry.isSpecial)
  }

  struct Row: CustomTestStringConvertible, Sendable {
    var name: String
    var types: SwapTypes
    /// HWPOISON, migration read, exclusive, write, device write, device read, exclusive, marker,
    /// error.
    var numbers: [UInt8?]
    var testDescription: String { name }
  }

  static let rows = [
    Row(name: "5.10", types: .debian510, numbers: [29, 30, nil, 31, nil, nil, nil, nil, nil]),
    Row(
      name: "5.10+DP", types: .v510WithDevicePrivate,
      numbers: [27, 28, nil, 29, 30, 31, nil, nil, nil]),
    Row(name: "6.1", types: .v61, numbers: [26, 27, 28, 29, nil, nil, nil, 30, 31]),
    Row(
      name: "6.1+DP", types: .v61WithDevicePrivate,
      numbers: [22, 23, 24, 25, 26, 27, 28, 30, 31]),
    Row(name: "6.12", types: .v612, numbers: [27, 28, 29, 30, nil, nil, nil, 31, nil]),
    Row(
      name: "6.12+DP", types: .v612WithDevicePrivate,
      numbers: [23, 24, 25, 26, 27, 28, 30, 31, nil]),
    Row(name: "7.x", types: .v7, numbers: [24, 25, 26, 27, 28, 29, 30, 31, nil]),
    Row(
      name: "7.x-DP", types: .v7WithoutDevicePrivate,
      numbers: [27, 28, 29, 30, nil, nil, nil, 31, nil]),
  ]

  @Test(arguments: rows)
  func swapTypesOfEachKernel(_ row: Row) {
    let kinds: [DecodedEntry.Kind] = [
      .hwpoison, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivateWrite,
      .devicePrivateRead, .deviceExclusive, .marker(.uffdWP), .swapinError,
    ]
    let format = Self.format(devmap: nil, saved: nil, row.types)
    for (kind, number) in zip(kinds, row.numbers) {
      guard let number else { continue }
      let entry = format.decode(Self.swap(type: number, offset: 1), level: .pte)
      #expect(entry.kind == kind)
    }
    let last = row.types.maxSwapFiles - 1
    let swap = format.decode(Self.swap(type: last, offset: 77), level: .pte)
    #expect(swap.kind == .swap(type: last))
    #expect(swap.pfn == nil)
    // Every type up to 31 is one of these: none is left that the kernel does not have.
    for type in row.types.maxSwapFiles...31 {
      #expect(format.decode(Self.swap(type: type, offset: 1), level: .pte).kind != .bad)
    }
  }

  @Test func softBitsOfSwapEntries() {
    let raw = Self.swap(type: 3, offset: 5) | 1 << 1 | 1 << 2 | 1 << 3
    #expect(
      Self.v61.decode(raw, level: .pte).flags
        == ["SWAP", "SOFT_DIRTY", "UFFD_WP", "ANON_EXCLUSIVE"])
    #expect(Self.v510.decode(raw, level: .pte).flags == ["SWAP", "SOFT_DIRTY", "UFFD_WP"])
  }

  @Test func middleLevelTableLeafAndBad() {
    let table = Self.v61.decode(0x1_2345_6067, level: .pmd)
    #expect(table.kind == .table)
    #expect(table.pfn == 0x12_3456)
    let leaf = Self.v61.decode(0x8400_0000_4020_00e7, level: .pmd)
    #expect(leaf.kind == .present)
    #expect(leaf.pfn == 0x40200)
    #expect(leaf.flags.contains("PSE") && leaf.flags.contains("DEVMAP"))
    #expect(!leaf.flags.contains("PAT"))
    #expect(Self.v61.decode(0x1_2345_6005, level: .pmd).kind == .bad)
    #expect(Self.v61.decode(1 << 63 | 0x1_2345_6067, level: .pmd).kind == .bad)
  }

  @Test func tableWithoutAccessedIsBadBefore66Only() {
    let raw: UInt64 = 0x1_2345_6047
    #expect(Self.v61.decode(raw, level: .pmd).kind == .bad)
    #expect(Self.v612.decode(raw, level: .pmd).kind == .table)
  }

  @Test func splittingHugePageIsPresent() {
    // PRESENT is clear for a moment while PSE stays (pmd_present()).
    #expect(Self.v7.decode(~0x4020_0000 & 0xf_ffff_ffe0_0000 | 0x80, level: .pmd).kind == .present)
  }

  @Test func migratingHugePage() {
    let entry = Self.v61.decode(Self.swap(type: 29, offset: 0x200), level: .pmd)
    #expect(entry.kind == .migrationWrite)
    #expect(entry.pfn == 0x200)
  }

  @Test func upperLevels() {
    #expect(Self.v61.decode(0x1067, level: .pud).kind == .table)
    #expect(Self.v61.decode(0x4000_00e7, level: .pud).kind == .present)
    #expect(Self.v61.decode(0x4000_00e7, level: .pud).pfn == 0x40000)
    #expect(Self.v61.decode(0, level: .pud).kind == .none)
    // PTI marks the user part of a PGD not executable.
    #expect(Self.v61.decode(1 << 63 | 0x1067, level: .pgd).kind == .table)
  }
}
