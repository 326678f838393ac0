// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@Suite struct FlagNamesTests {
  @Test func access() {
    #expect(AccessFlags.names(0x43) == ["LOCAL_WRITE", "REMOTE_WRITE", "ON_DEMAND"])
    #expect(
      AccessFlags.names(1 << 20 | 1 << 11 | 1 << 31) == ["RELAXED_ORDERING", "0x80000800"])
    #expect(AccessFlags.names(0).isEmpty)
  }

  @Test(arguments: [
    (UInt32(1), true), (2, true), (4, false), (8, true), (0x10, true), (0x40, false),
  ])
  func writable(_ raw: UInt32, _ expected: Bool) {
    #expect(AccessFlags(rawValue: raw).isWritable == expected)
  }

  @Test func mappingOfSharedFile() {
    // READ WRITE SHARED MAYREAD MAYWRITE MAYSHARE SYNC HUGEPAGE
    let flags: UInt64 = 0x0b | 0xb0 | 1 << 23 | 1 << 29
    #expect(VMAFlags.names(flags, of: nil) == ["READ", "WRITE", "SHARED", "SYNC", "HUGEPAGE"])
  }

  @Test func mayWriteIsToldOnlyWithoutWrite() {
    #expect(VMAFlags.names(1 | 1 << 5, of: nil) == ["READ", "MAYWRITE"])
    #expect(VMAFlags.names(1 | 2 | 1 << 5, of: nil) == ["READ", "WRITE"])
  }

  @Test func deviceMapping() {
    #expect(
      VMAFlags.names(1 | 2 | 1 << 10 | 1 << 14 | 1 << 18 | 1 << 28, of: nil)
        == ["READ", "WRITE", "PFNMAP", "IO", "DONTEXPAND", "MIXEDMAP"])
  }

  @Test func unknownMappingBitsAreNotDropped() {
    #expect(VMAFlags.names(1 | 1 << 50, of: nil) == ["READ", "0x4000000000000"])
    // Two bits have had two meanings: where the kernel is not known, none is said.
    #expect(VMAFlags.names(1 | 1 << 11 | 1 << 37, of: nil) == ["READ", "0x2000000800"])
  }

  @Test(arguments: [
    ("5.10.0-46-amd64", ["DENYWRITE", "0x2000000000"]),
    ("6.1.0-57-amd64", ["0x800", "UFFD_MINOR"]),
    ("6.12.118-amd64", ["SHADOW_STACK", "0x800"]),
    ("7.3.4+deb13-amd64", ["MAYBE_GUARD", "SHADOW_STACK"]),
  ])
  func bitsOfTwoMeanings(_ release: String, _ names: [String]) {
    let found = VMAFlags.names(1 << 11 | 1 << 37, of: KernelRelease(release))
    #expect(Set(found) == Set(names))
  }

  /// What lab/vma-flags has found in the headers of every kernel of the lab that has any: each flag has
  /// its name, and no bit the name of another.
  @Test(arguments: ["5.10", "6.1", "6.12", "7.2", "7.3"])
  func everyFlagOfEveryKernelHasItsName(_ kernel: String) throws {
    let fixtures = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/kernels")
    let text = try String(
      contentsOf: fixtures.appending(path: "\(kernel)/vma_flags"), encoding: .utf8)
    let table = VMAFlags.table(of: KernelRelease(kernel + ".0"))
    let lines = text.split(separator: "\n")
    #expect(lines.count > 30)
    for line in lines {
      let fields = line.split(separator: "\t")
      let bit = try #require(fields.first.flatMap { Int($0) })
      #expect(table.filter { $0.bit == bit }.map(\.name) == [String(fields[1])], "bit \(bit)")
    }
  }

  @Test func faults() {
    #expect(VMFault.names(2) == ["VM_FAULT_SIGBUS"])
    #expect(VMFault.names(0x30) == ["VM_FAULT_HWPOISON", "VM_FAULT_HWPOISON_LARGE"])
    #expect(VMFault.names(0x8000_0100) == ["VM_FAULT_NOPAGE", "0x80000000"])
    #expect(VMFault.error.rawValue == 0x873)
  }
}
