// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct PageTableFieldsTests {
  /// Every layout that is known, by a release that has it.
  static let formats: [PageTableFormat] = [
    (5, 4), (5, 10), (5, 15), (6, 1), (6, 6), (6, 12), (6, 16), (7, 3),
  ]
  .flatMap { release in
    PageTableFormat.Architecture.allCases.flatMap { architecture in
      [true, false].map { devicePrivate in
        PageTableFormat.forRelease(
          KernelRelease(release.0, release.1), architecture: architecture,
          devicePrivate: devicePrivate)
      }
    }
  }

  /// Values that hit every kind: single bits, and seeded random ones, present and not.
  static var values: [UInt64] {
    var values = (0..<64).map { UInt64(1) << UInt64($0) } + [0, .max, 0x8400_0000_2804_0267]
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    for _ in 0..<400 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      values += [state, state | 1, state & ~1, state & ~0x1ff]
    }
    return values
  }

  @Test(arguments: formats)
  func everySetBitIsInOneField(_ format: PageTableFormat) {
    for level in PageTableLevel.allCases {
      // One expectation for all: a million of them take longer than the work.
      let wrong = Self.values.filter { value in
        var covered: UInt64 = 0
        var end = -1
        for field in format.fields(value, level: level) {
          guard field.bits.lowerBound > end else { return true }
          end = field.bits.upperBound
          for bit in field.bits { covered |= 1 << UInt64(bit) }
        }
        return value & ~covered != 0
      }
      #expect(wrong.isEmpty, "\(level)")
    }
  }

  @Test(arguments: formats)
  func fieldsAndFlagsSayTheSame(_ format: PageTableFormat) {
    for level in [PageTableLevel.pte, .pmd, .pud] {
      let wrong = Self.values.filter { value in
        let entry = format.decode(value, level: level)
        guard [.present, .protnone, .table].contains(entry.kind) else { return false }
        let named = format.fields(value, level: level)
          .filter { $0.isFlag || $0.name.hasPrefix("PKEY") }.map(\.name)
        return Set(named) != Set(entry.flags)
      }
      #expect(wrong.isEmpty, "\(level)")
    }
  }

  @Test func theFsdaxEntryBitByBit() {
    let format = PageTableFormat.forRelease(KernelRelease(6, 1))
    let fields = format.fields(0x8400_0000_2804_0267, level: .pte)
    #expect(
      fields.map(\.name) == [
        "PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SPECIAL", "PFN", "DEVMAP", "NX",
      ])
    #expect(fields.first { $0.name == "PFN" }?.value == 0x28040)
    #expect(fields.first { $0.name == "DEVMAP" }?.bits == 58...58)
    let newer = PageTableFormat.forRelease(KernelRelease(7, 3))
      .fields(0x8600_0000_2804_0267, level: .pte)
    #expect(newer.contains { $0.name == "SAVED_DIRTY" && $0.bits == 58...58 })
    // Once DEVMAP, now nothing.
    #expect(newer.contains { $0.name == "?" && $0.bits == 57...57 })
  }

  @Test func uffdWPIsUnknownBefore57() {
    let old = PageTableFormat.forRelease(KernelRelease(5, 4))
    #expect(!old.decode(0x427, level: .pte).flags.contains("UFFD_WP"))
    #expect(old.fields(0x427, level: .pte).contains { $0.name == "?" && $0.bits == 10...10 })
    let newer = PageTableFormat.forRelease(KernelRelease(5, 10))
    #expect(newer.decode(0x427, level: .pte).flags.contains("UFFD_WP"))
  }

  @Test func migrationKeepsYoungAndDirtyAboveTheFrame() {
    // SWP_PFN_BITS is MAX_PHYSMEM_BITS - 12: 34 with four levels, 40 with five.
    let offset: UInt64 = 0x1234 | 1 << 34
    let four = PageTableFormat.forRelease(KernelRelease(6, 1))
    let raw = PageTableEntryTests.swap(type: 29, offset: offset)
    #expect(four.decode(raw, level: .pte).pfn == 0x1234)
    #expect(four.fields(raw, level: .pte).contains { $0.meaning.contains("young") })
    let five = PageTableFormat.forRelease(KernelRelease(6, 1), levels: 5)
    #expect(five.decode(raw, level: .pte).pfn == offset)
    let poison = PageTableEntryTests.swap(type: 26, offset: offset)
    #expect(!four.fields(poison, level: .pte).contains { $0.meaning.contains("young") })
  }

  @Test func markersAreTold() {
    let fields = PageTableFormat.forRelease(KernelRelease(7, 3))
      .fields(0xffff_ffff_ffff_f600, level: .pte)
    #expect(fields.contains { $0.name == "OFFSET" && $0.meaning.contains("GUARD") })
  }
}
