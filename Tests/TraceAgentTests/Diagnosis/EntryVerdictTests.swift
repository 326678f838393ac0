// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct EntryVerdictTests {
  static let fsdax: UInt64 = 0x8400_0000_2804_0267

  static func verdict(
    _ raw: UInt64, _ level: PageTableLevel = .pte, on name: String, devicePrivate: Bool? = nil
  ) -> EntryVerdict {
    let release = KernelRelease(name) ?? KernelRelease(0, 0)
    let format = PageTableFormat.forRelease(release, devicePrivate: devicePrivate)
    return EntryVerdict.of(
      format.decode(raw, level: level), release: release, hasDevmapFix: release.hasDevmapFix)
  }

  @Test(arguments: [
    ("5.10.66", EntryVerdict.Outcome.refuses), ("5.10.67", .accepts), ("5.10", .depends),
    ("5.11", .refuses), ("5.12.19", .refuses), ("5.13.18", .refuses), ("5.13.19", .accepts),
    ("5.14.5", .refuses), ("5.14.6", .accepts), ("5.14", .depends), ("5.15", .accepts),
    ("6.1", .accepts), ("5.4", .depends),
    // Bit 58 is another one there: special without DEVMAP.
    ("6.12", .depends), ("7.3", .depends),
  ])
  func theBugOf2021(_ name: String, _ expected: EntryVerdict.Outcome) {
    let verdict = Self.verdict(Self.fsdax, on: name)
    #expect(verdict.read == expected && verdict.write == expected)
  }

  @Test func devmapIsBit57From66To616() {
    #expect(Self.verdict(Self.fsdax ^ 1 << 58 ^ 1 << 57, on: "6.12").read == .accepts)
    #expect(Self.verdict(Self.fsdax ^ 1 << 58 ^ 1 << 57, on: "6.17").read == .depends)
  }

  @Test func writeToAReadOnlyEntryFaultsFirst() {
    let verdict = Self.verdict(0x8000_0000_2804_0025, on: "6.1")
    #expect(verdict.read == .accepts && verdict.write == .faults)
  }

  @Test func guardMarkerIsRefusedByHMMFrom70() {
    let guardEntry: UInt64 = 0xffff_ffff_ffff_f600
    #expect(Self.verdict(guardEntry, on: "7.3").read == .refuses)
    #expect(Self.verdict(guardEntry, on: "6.18").read == .faults)
    #expect(Self.verdict(guardEntry, on: "6.18").reason.contains("VM_FAULT_SIGSEGV"))
    // Type 31 there: a swap-in error.
    #expect(Self.verdict(guardEntry, on: "6.1").read == .refuses)
    let uffd = PageTableEntryTests.swap(type: 31, offset: 1)
    #expect(Self.verdict(uffd, on: "7.3").read == .faults)
  }

  @Test func otherTypes() {
    let write510 = PageTableEntryTests.swap(type: 30, offset: 5)
    #expect(Self.verdict(write510, on: "5.10", devicePrivate: true).read == .refuses)
    #expect(Self.verdict(write510, on: "5.10").read == .waits)
    let write61 = PageTableEntryTests.swap(type: 26, offset: 5)
    #expect(Self.verdict(write61, on: "6.1", devicePrivate: true).read == .faults)
    #expect(Self.verdict(write61, on: "6.1").read == .refuses)
    #expect(Self.verdict(PageTableEntryTests.swap(type: 1, offset: 5), on: "6.1").read == .faults)
    #expect(Self.verdict(0, on: "6.1").read == .faults)
  }

  @Test func middleLevels() {
    #expect(Self.verdict(0x1_2345_6067, .pmd, on: "6.1").read == .descends)
    #expect(Self.verdict(0x8400_0000_4020_00e7, .pmd, on: "5.10").write == .accepts)
    // Not present: poison where no huge page can be.
    #expect(
      Self.verdict(PageTableEntryTests.swap(type: 26, offset: 1), .pmd, on: "6.1").read == .refuses)
    #expect(
      Self.verdict(PageTableEntryTests.swap(type: 29, offset: 1), .pmd, on: "6.1").read == .waits)
  }
}
