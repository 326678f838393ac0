// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct FaultCauseTests {
  /// A file of `pages` pages in an MR that is longer; the fault began at page 2.
  static func short(
    _ memory: Scene.Memory, pages: UInt64, entries: [UInt64], on kernel: Scene.Kernel = .v72,
    sizeAdds: UInt64 = 0
  ) -> Scene {
    var scene = Scene(.adviseMR, .fault, on: kernel)
    if kernel == .v73 {
      scene.faultPhase(.fault, first: 2, count: UInt64(entries.count))
      scene.ptes(entries, first: 2, search: .faulted)
    } else {
      scene.walkTable(entries, first: 2, last: 2, write: false)
    }
    scene.map(memory, size: pages * 4096 + sizeAdds, at: 2)
    scene.outward()
    return scene
  }

  static let plain4 = Array(repeating: Scene.plain, count: 4)

  // MARK: fault-beyond-eof

  @Test(arguments: [Scene.Kernel.v61, .v612, .v72, .v73])
  func beyondEOFWithoutWitness(_ kernel: Scene.Kernel) throws {
    let scene = Self.short(.tmpfs, pages: 6, entries: Self.plain4 + [0, 0], on: kernel)
    let diagnosis = try scene.expect("fault-beyond-eof", page: 6)
    #expect(diagnosis.fileOffset == 6 * 4096)
    #expect(
      diagnosis.summary
        == "advise_mr failed with EFAULT: page 0x7f10c0006000 of /dev/shm/buffer (tmpfs, offset "
        + "24576) lies beyond the end of the file: its size is 24576 bytes, and a fault there is "
        + "SIGBUS")
    #expect(
      Array(diagnosis.chainText.prefix(2)) == [
        "handle_mm_fault VM_FAULT_SIGBUS inferred",
        (kernel == .v73 ? "hmm_do_fault" : "hmm_vma_fault") + " -EFAULT replayed",
      ])
  }

  @Test func lastPageOfTheFileIsNotBeyond() throws {
    // One byte more: page 6 belongs to the file.
    let scene = Self.short(.tmpfs, pages: 6, entries: Self.plain4 + [0, 0], sizeAdds: 1)
    try scene.expectUnknown(page: 6)
  }

  @Test func mappingOffsetCounts() throws {
    let scene = Self.short(.tmpfs, pages: 6, entries: Self.plain4 + [0, 0])
    try scene.changed { $0.operation.mappings[0].pageOffset = 1 }.expect(
      "fault-beyond-eof", page: 6)
    try scene.changed {
      $0.operation.mappings[0].pageOffset = 1
      $0.operation.mappings[0].file?.size += 4096
    }.expect("fault-beyond-eof", page: 6)
    try scene.changed {
      $0.operation.mappings[0].pageOffset = 1
      $0.operation.mappings[0].file?.size += 2 * 4096
    }.expectUnknown(page: 6)
  }

  @Test func onlyRegularFilesEnd() throws {
    let scene = Self.short(.tmpfs, pages: 6, entries: Self.plain4 + [0, 0])
    try scene.changed { $0.operation.mappings[0].file?.mode = 0o020600 }.expectUnknown(page: 6)
    try scene.changed { $0.operation.mappings = [] }.expectUnknown(page: 6)
  }

  @Test func witnessedOnFsdax() throws {
    var scene = Self.short(
      .fsdax, pages: 6, entries: Array(repeating: Scene.plain, count: 2) + [0, 0, 0, 0])
    scene.fault(2, page: 6)
    scene.operation.faults[0].pageOffset = 6
    scene.operation.faults[0].fileSize = 6 * 4096
    let diagnosis = try scene.expect("fault-beyond-eof", page: 6)
    #expect(diagnosis.chainText.first == "dax_iomap_pte_fault VM_FAULT_SIGBUS direct")
    // The witness read the size at that instant, before the mapping's was read.
    scene.operation.faults[0].fileSize = 7 * 4096
    let inside = try scene.expect("fault-sigbus", page: 6)
    #expect(inside.summary.hasSuffix("ended in SIGBUS, within the file of 28672 bytes"))
  }

  @Test func witnessOfAnotherRangeIsIgnored() throws {
    var scene = Self.short(.fsdax, pages: 6, entries: Self.plain4 + [0, 0])
    scene.fault(2, page: 400)
    try scene.expect("fault-beyond-eof", page: 6)
  }

  @Test func fallbackIsNoFailure() throws {
    var scene = Self.short(.fsdax, pages: 99, entries: Self.plain4 + [0, 0])
    scene.fault(0x800, page: 6, witness: "dax_pmd_fault_done")
    let diagnosis = try scene.expectUnknown(page: 6)
    #expect(!diagnosis.chainText.contains { $0.hasPrefix("dax_") })
  }

  @Test func neverSizedFile() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_hole", first: 3, count: 8, last: 3)
    scene.map(.fsdax, size: 0, at: 3)
    // No table and no levels: still, the first page faulted is the one that failed.
    try scene.expect("fault-beyond-eof", page: 3)
    scene.levels(3, pmd: 0)
    let diagnosis = try scene.expect("fault-beyond-eof", page: 3)
    #expect(diagnosis.page?.level == "pmd")
  }

  @Test func pageInsideTheRangeWithoutEntriesIsInferred() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_hole", first: 0, count: 32, last: 0)
    scene.map(.tmpfs, size: 20 * 4096)
    try scene.expect("fault-beyond-eof", .inferred, page: 20)
    scene.operation.mappings[0].file?.size = 40 * 4096
    try scene.expectUnknown()
  }

  @Test func tableFurtherOnInALongRange() throws {
    // The kernel side looked for the table in which faulting stopped.
    var scene = Scene(.adviseMR, .fault)
    scene.operation.mr.length = 0x60_0000
    scene.walk("hmm_vma_walk_hole", first: 0, count: 1536, last: 0)
    scene.map(.tmpfs, count: 1536, size: 1030 * 4096)
    scene.ptes(
      Array(repeating: Scene.plain, count: 6) + Array(repeating: 0, count: 506), first: 1024,
      search: .faulted)
    scene.levels(1030, pmd: Scene.table, pte: 0)
    try scene.expect("fault-beyond-eof", page: 1030)
  }

  @Test func contraryWitness() throws {
    var scene = Self.short(.tmpfs, pages: 6, entries: Self.plain4 + [0, 0])
    scene.fault(1, page: 6, witness: "handle_mm_fault")
    try scene.expect("fault-out-of-memory", page: 6)
  }

  // MARK: others, by witness

  @Test(arguments: [
    (UInt32(0x2), "fault-sigbus"), (0x10, "fault-hwpoison"), (0x20, "fault-hwpoison"),
    (0x40, "fault-sigsegv"), (0x1, "fault-out-of-memory"),
  ])
  func witnessed(_ code: UInt32, _ cause: String) throws {
    var scene = Self.short(.fsdax, pages: 99, entries: Self.plain4 + [0, 0])
    scene.fault(code, page: 6, witness: "handle_mm_fault")
    let diagnosis = try scene.expect(cause, page: 6)
    let name = try #require(VMFault.names(code).first)
    #expect(diagnosis.chainText.first == "handle_mm_fault \(name) direct")
    // Without the witness nothing is named.
    try scene.changed { $0.operation.faults = [] }.expectUnknown(page: 6)
  }

  @Test func sigbusOfUnknownMappingIsNotNamed() throws {
    var scene = Self.short(.fsdax, pages: 99, entries: Self.plain4 + [0, 0])
    scene.fault(2, page: 6, witness: "handle_mm_fault")
    // It could be the end of the file.
    try scene.changed { $0.operation.mappings = [] }.expectUnknown(page: 6)
  }

  @Test func outOfMemoryKeepsItsErrnoOn73() throws {
    var scene = Scene(.adviseMR, .nomem, on: .v73)
    scene.faultPhase(.nomem, first: 2, count: 4)
    scene.ptes([Scene.plain, 0, 0, 0], first: 2, search: .faulted)
    scene.map(.anonymous, at: 2)
    scene.outward(.nomem)
    try scene.expect("fault-out-of-memory", page: 3)
  }

  @Test func userfaultfd() throws {
    var scene = Self.short(.anonymous, pages: 0, entries: Self.plain4 + [0, 0])
    try scene.expectUnknown(page: 6)
    scene.operation.mappings[0].vmFlags |= VMAFlags.uffdMissing.rawValue
    try scene.expect("fault-userfaultfd", .inferred, page: 6)
    scene.fault(2, page: 6, witness: "handle_mm_fault")
    try scene.expect("fault-userfaultfd", page: 6)
    // 7.3 can wait for the handler.
    var newer = Self.short(.anonymous, pages: 0, entries: Self.plain4 + [0, 0], on: .v73)
    newer.operation.mappings[0].vmFlags |= VMAFlags.uffdMissing.rawValue
    try newer.expectUnknown(page: 6)
    newer.fault(2, page: 6, witness: "handle_mm_fault")
    try newer.expect("fault-sigbus", page: 6)
  }

  @Test func faultOfAPin() throws {
    var scene = Scene.pin(.fault)
    scene.map(.tmpfs, size: 4 * 4096)
    try scene.expect("fault-beyond-eof", .inferred, page: 4)
    scene.fault(2, page: 4, witness: "handle_mm_fault")
    let diagnosis = try scene.expect("fault-beyond-eof", page: 4)
    #expect(
      diagnosis.chainText == [
        "handle_mm_fault VM_FAULT_SIGBUS direct", "ib_umem_get -EFAULT direct",
        "ib_uverbs_reg_mr -EFAULT direct",
      ])
  }

  @Test func pinThatFaultedBeforeTheGap() throws {
    var scene = Scene.pin(.fault)
    scene.map(.tmpfs, count: 8)
    scene.gap(8)
    try scene.expect("mapping-missing", page: 8)
    scene.fault(2, page: 4, witness: "handle_mm_fault")
    // A full tmpfs ends its faults in the same way, but would have been seen to be full.
    try scene.expect("fault-sigbus", page: 4)
  }

  @Test func pageThatCouldNotBeMadeWritable() throws {
    var scene = Scene(.adviseMR, .fault, on: .v72)
    scene.walkTable([Scene.plain, Scene.readOnly, 0], first: 2, last: 2, write: true)
    scene.map(.tmpfs, at: 2)
    try scene.expectUnknown(page: 3)
    scene.operation.walks[0].defaultFlags = Scene.requestFault
    try scene.expectUnknown(page: 4)
  }

  @Test func hugetlbPageWithoutPool() throws {
    var scene = Scene(.adviseMR, .fault, on: .v72)
    scene.walk("hmm_vma_walk_hugetlb_entry", count: 512, last: 0)
    scene.map(.tmpfs, size: 0x20_0000)
    scene.operation.mappings[0].isHugeTLB = true
    scene.levels(0, pmd: 0)
    try scene.expectUnknown(page: 0)
    scene.fault(2, page: 0, witness: "handle_mm_fault")
    try scene.expect("fault-sigbus", page: 0)
  }
}
