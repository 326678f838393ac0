// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

/// Values put together from the definitions in arch/arm64/include/asm/pgtable-prot.h and
/// pgtable-hwdef.h of 5.10, 6.1, 6.12 and 7.3.
@Suite struct Arm64EntryTests {
  static func format(_ major: Int, _ minor: Int, private devicePrivate: Bool = false)
    -> PageTableFormat
  {
    .forRelease(
      KernelRelease(major, minor), architecture: .arm64, devicePrivate: devicePrivate)
  }

  static let v510 = format(5, 10)
  static let v61 = format(6, 1)
  static let v612 = format(6, 12)
  static let v73 = format(7, 3)
  static let all = [v510, v61, v612, v73]

  // _PAGE_SHARED: page, AF, inner shareable, user, read-only (clean), nG, PXN, UXN, writable.
  static let shared: UInt64 =
    3 | 1 << 6 | 1 << 7 | 3 << 8 | 1 << 10 | 1 << 11 | 1 << 51 | 1 << 53 | 1 << 54

  @Test(arguments: all)
  func ordinaryPage(_ format: PageTableFormat) {
    let entry = format.decode(Self.shared | 0x1_2345_6000, level: .pte)
    #expect(entry.kind == .present)
    #expect(
      entry.flags == ["VALID", "PAGE", "USER", "RDONLY", "AF", "NG", "WRITE", "PXN", "UXN"])
    #expect(entry.pfn == 0x12_3456)
    #expect(entry.isWritable && !entry.isSpecial && !entry.isDevmap)
    #expect(!format.decode(Self.shared & ~(1 << 51), level: .pte).isWritable)
  }

  @Test func fsdaxPageUpTo616() {
    let raw = Self.shared | 1 << 55 | 1 << 56 | 1 << 57 | 0x1000
    for format in [Self.v510, Self.v61, Self.v612, Self.format(6, 16)] {
      let entry = format.decode(raw, level: .pte)
      #expect(entry.isSpecial && entry.isDevmap)
      #expect(entry.flags.suffix(3) == ["DIRTY", "SPECIAL", "DEVMAP"])
    }
    let entry = Self.v73.decode(raw, level: .pte)
    #expect(entry.isSpecial && !entry.isDevmap && !entry.flags.contains("DEVMAP"))
  }

  @Test func protNoneByItsOwnBitThenByPresentInvalid() {
    // PAGE_NONE without VALID; PTE_TYPE_PAGE leaves bit 1.
    let old: UInt64 = 2 | 1 << 7 | 3 << 8 | 1 << 10 | 1 << 11 | 1 << 53 | 1 << 54 | 1 << 58 | 0x5000
    for format in [Self.v510, Self.v61] {
      let entry = format.decode(old, level: .pte)
      #expect(entry.kind == .protnone && entry.pfn == 5)
      #expect(entry.flags.contains("PROT_NONE"))
    }
    let new = old & ~(1 << 58)
    for format in [Self.v612, Self.v73] {
      let entry = format.decode(new, level: .pte)
      #expect(entry.kind == .protnone && entry.pfn == 5)
      #expect(entry.flags.contains("PRESENT_INVALID") && !entry.flags.contains("NG"))
    }
  }

  @Test func bit58IsUffdFrom610() {
    let raw = Self.shared | 1 << 58
    #expect(Self.v612.decode(raw, level: .pte).flags.contains("UFFD_WP"))
    #expect(!Self.v61.decode(raw, level: .pte).flags.contains("UFFD_WP"))
    // PROT_NONE is one only where VALID is clear.
    #expect(!Self.v61.decode(raw, level: .pte).flags.contains("PROT_NONE"))
    #expect(!Self.format(6, 9).decode(raw, level: .pte).flags.contains("UFFD_WP"))
    #expect(Self.format(6, 10).decode(raw, level: .pte).flags.contains("UFFD_WP"))
  }

  @Test func protectionKeysFrom612() {
    let raw = Self.shared | 5 << 60
    #expect(Self.v612.decode(raw, level: .pte).flags.contains("PKEY5"))
    #expect(!Self.format(6, 11).decode(raw, level: .pte).flags.contains { $0.hasPrefix("PKEY") })
  }

  @Test(arguments: all)
  func middleLevel(_ format: PageTableFormat) {
    let block = Self.shared & ~2 | 0x4020_0000
    let leaf = format.decode(block, level: .pmd)
    #expect(leaf.kind == .present && leaf.pfn == 0x40200)
    #expect(!leaf.flags.contains("PAGE"))
    let table = format.decode(0x1_2345_6003, level: .pmd)
    #expect(table.kind == .table && table.pfn == 0x12_3456)
    #expect(table.flags == ["VALID", "TABLE"])
    #expect(format.decode(0x1_2345_6003, level: .pud).kind == .table)
    #expect(format.decode(0x4000_0001, level: .pud).kind == .present)
    #expect(format.decode(0x1001, level: .pgd).kind == .bad)
    #expect(format.decode(0, level: .pmd).kind == .none)
  }

  @Test func hugePageBeingSplit() {
    // pmd_mkinvalid(): VALID cleared, PRESENT_INVALID set.
    let old = Self.shared & ~3 | 0x4020_0000 | 1 << 59
    for format in [Self.v510, Self.v61] {
      #expect(format.decode(old, level: .pmd).kind == .present)
      #expect(format.decode(old, level: .pmd).flags.contains("PRESENT_INVALID"))
    }
    let new = Self.shared & ~3 | 0x4020_0000
    for format in [Self.v612, Self.v73] {
      #expect(format.decode(new, level: .pmd).kind == .present)
    }
  }

  struct Swap: CustomTestStringConvertible, Sendable {
    var name: String
    var format: PageTableFormat
    var typeShift: UInt64
    var offsetShift: UInt64
    var hwpoison: UInt64
    var migrationWrite: UInt64
    var marker: UInt64?
    var swapinError: UInt64?
    var testDescription: String { name }
    func entry(_ type: UInt64, _ offset: UInt64) -> UInt64 {
      type << typeShift | offset << offsetShift
    }
  }

  static let swaps = [
    Swap(
      name: "5.10", format: v510, typeShift: 2, offsetShift: 8, hwpoison: 29, migrationWrite: 31),
    // No userfaultfd write protection, so no CONFIG_PTE_MARKER.
    Swap(
      name: "6.1", format: v61, typeShift: 3, offsetShift: 8, hwpoison: 27, migrationWrite: 30,
      swapinError: 31),
    Swap(
      name: "6.1+DP", format: format(6, 1, private: true), typeShift: 3, offsetShift: 8,
      hwpoison: 23, migrationWrite: 26, swapinError: 31),
    Swap(
      name: "6.12", format: v612, typeShift: 6, offsetShift: 12, hwpoison: 27, migrationWrite: 30,
      marker: 31),
    Swap(
      name: "7.3+DP", format: format(7, 3, private: true), typeShift: 6, offsetShift: 12,
      hwpoison: 24, migrationWrite: 27, marker: 31),
  ]

  @Test(arguments: swaps)
  func swapTypes(_ swap: Swap) {
    let poison = swap.format.decode(swap.entry(swap.hwpoison, 0x4321), level: .pte)
    #expect(poison.kind == .hwpoison && poison.pfn == 0x4321)
    let moving = swap.format.decode(swap.entry(swap.migrationWrite, 0x200), level: .pmd)
    #expect(moving.kind == .migrationWrite && moving.pfn == 0x200)
    let out = swap.format.decode(swap.entry(2, 77), level: .pte)
    #expect(out.kind == .swap(type: 2) && out.flags == ["SWAP"])
    if let marker = swap.marker {
      #expect(
        swap.format.decode(swap.entry(marker, 4), level: .pte).kind == .marker(.guardRegion))
    }
    if let error = swap.swapinError {
      #expect(swap.format.decode(swap.entry(error, 0), level: .pte).kind == .swapinError)
    }
  }

  @Test func softBitsOfSwapEntries() {
    let raw: UInt64 = 2 << 6 | 5 << 12 | 1 << 2 | 1 << 3
    #expect(Self.v612.decode(raw, level: .pte).flags == ["SWAP", "ANON_EXCLUSIVE", "UFFD_WP"])
    #expect(
      Self.v61.decode(2 << 3 | 5 << 8 | 1 << 2, level: .pte).flags == ["SWAP", "ANON_EXCLUSIVE"])
    // On 5.10 bit 2 is the type's.
    #expect(Self.v510.decode(5 << 8 | 1 << 2, level: .pte).kind == .swap(type: 1))
  }
}
