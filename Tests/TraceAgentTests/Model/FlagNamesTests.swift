// SPDX-License-Identifier: Apache-2.0

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
    #expect(VMAFlags.names(flags) == ["READ", "WRITE", "SHARED", "SYNC", "HUGEPAGE"])
  }

  @Test func mayWriteIsToldOnlyWithoutWrite() {
    #expect(VMAFlags.names(1 | 1 << 5) == ["READ", "MAYWRITE"])
    #expect(VMAFlags.names(1 | 2 | 1 << 5) == ["READ", "WRITE"])
  }

  @Test func deviceMapping() {
    #expect(
      VMAFlags.names(1 | 2 | 1 << 10 | 1 << 14 | 1 << 18 | 1 << 28)
        == ["READ", "WRITE", "PFNMAP", "IO", "DONTEXPAND", "MIXEDMAP"])
  }

  @Test func unknownMappingBitsAreNotDropped() {
    #expect(VMAFlags.names(1 | 1 << 42) == ["READ", "0x40000000000"])
  }

  @Test func faults() {
    #expect(VMFault.names(2) == ["VM_FAULT_SIGBUS"])
    #expect(VMFault.names(0x30) == ["VM_FAULT_HWPOISON", "VM_FAULT_HWPOISON_LARGE"])
    #expect(VMFault.names(0x8000_0100) == ["VM_FAULT_NOPAGE", "0x80000000"])
    #expect(VMFault.error.rawValue == 0x873)
  }
}
