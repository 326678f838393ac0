// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct PTECauseTests {
  /// fsdax PTEs of a kernel with the 2021 bug; the request begins at page 4 of a walk from page 2.
  static func fsdax(_ entries: [UInt64], last: UInt64 = 0, write: Bool = true) -> Scene {
    var scene = Scene(.adviseMR, .fault)
    scene.walkTable(entries, first: 4, last: last, write: write)
    scene.map(.fsdax, at: 4)
    scene.outward()
    return scene
  }

  static let five = Array(repeating: Scene.devmap, count: 5)

  // MARK: pte-special-devmap

  @Test func specialDevmap() throws {
    let diagnosis = try Self.fsdax(Self.five).expect("pte-special-devmap", page: 4)
    #expect(diagnosis.page?.raw == Scene.devmap)
    #expect(diagnosis.page?.level == "pte")
    #expect(
      diagnosis.page?.flags == [
        "PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SPECIAL", "DEVMAP", "NX",
      ])
    #expect(diagnosis.fileOffset == 4 * 4096)
    #expect(diagnosis.mapping?.isFSDAX == true)
    #expect(
      diagnosis.chainText == [
        "hmm_vma_handle_pte -EFAULT replayed", "hmm_vma_walk_pmd -EFAULT direct",
        "hmm_range_fault -EFAULT direct", "ib_umem_odp_map_dma_and_lock -EFAULT direct",
        "rxe_ib_advise_mr -EFAULT direct",
        "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR -EFAULT direct",
      ])
    #expect(
      diagnosis.summary == "advise_mr failed with EFAULT: page 0x7f10c0004000 of /mnt/pmem/pool "
        + "(fsdax, offset 16384) is mapped by a PTE with SPECIAL and DEVMAP set, and this "
        + "kernel's hmm_vma_handle_pte() takes every special PTE for one without a struct page "
        + "(the 2021 fsdax bug, fixed by 4b42fb213678 in 5.15, 5.14.6, 5.13.19, 5.10.67)")
    #expect(diagnosis.references.contains { $0.contains("4b42fb213678") })
  }

  @Test func specialDevmapWhereTheWalkBegan() throws {
    // last is the start of the walk, so a fault could have come first; but nothing wants one now.
    try Self.fsdax(Self.five, last: 4).expect("pte-special-devmap", page: 4)
  }

  @Test func specialDevmapSeenDirectly() throws {
    var scene = Scene(.regMR, .fault)
    scene.walk("hmm_vma_handle_pte", first: 7, count: 9, last: 0, entry: Scene.devmap)
    scene.map(.fsdax, at: 7)
    scene.walkTable(Array(repeating: Scene.plain, count: 3) + [Scene.devmap], first: 4, last: 0)
    scene.outward()
    let diagnosis = try scene.expect("pte-special-devmap", page: 7)
    #expect(diagnosis.chainText.first == "hmm_vma_handle_pte -EFAULT direct")
    #expect(diagnosis.chainText.last == "ib_uverbs_reg_mr -EFAULT direct")
    #expect(diagnosis.chain.filter { $0.function == "hmm_vma_handle_pte" }.count == 1)
  }

  @Test func specialDevmapBehindHolesOfTheFile() throws {
    // Read prefetch: the zero page of a hole is special without DEVMAP, and accepted.
    let entries = Array(repeating: Scene.zeroPage, count: 8) + [Scene.devmap, Scene.devmap]
    let scene = Self.fsdax(entries, write: false)
    try scene.expect("pte-special-devmap", page: 12)
    try scene.changed { $0.traits.zeroPFN = nil }.expect("pte-special-devmap", page: 12)
  }

  @Test func anotherGenerationReadsTheBitElsewhere() throws {
    // On 6.12 bit 58 is SAVED_DIRTY: the same raw entry is special only.
    var scene = Scene(.adviseMR, .fault, on: .v612)
    scene.walkTable([Scene.devmap], first: 4, last: 0)
    scene.map(.driver, [.read, .write, .mixedMap])
    try scene.expect("pte-special", page: 4)
    scene.operation.entries[0].values = [Scene.devmap ^ 1 << 58 ^ 1 << 57]
    try scene.expect("pte-special-devmap", page: 4)
  }

  @Test func noEntryRejected() throws {
    try Self.fsdax(Array(repeating: Scene.plain, count: 5)).expectUnknown()
  }

  @Test func readOnlyEntryWouldHaveGotAFaultFirst() throws {
    // Write wanted and not allowed: hmm_vma_handle_pte() faults before it looks at SPECIAL.
    let readOnly = Scene.devmap & ~2
    let scene = Self.fsdax([readOnly, Scene.devmap])
    try scene.expectUnknown()
    try Self.fsdax([readOnly, Scene.devmap], write: false).expect("pte-special-devmap", page: 4)
  }

  @Test func acceptedByThisKernel() throws {
    // hmm_pfns hold what HMM wrote for the entries it accepted.
    var scene = Self.fsdax([Scene.devmap, Scene.devmap, Scene.special])
    scene.operation.mappings[0].vmFlags |= VMAFlags.mixedMap.rawValue
    let accepted = 1 << 63 | 1 << 62 | UInt64(0x28040)
    scene.operation.entries.append(
      .init(
        what: .hmmPFN, search: .walked, address: Scene.page(4), values: [accepted, accepted, 0]))
    try scene.expect("pte-special", page: 6)
    // A page frame that is not the entry's was written before the entry changed.
    scene.operation.entries[1].values[0] = 1 << 63 | 0x11111
    try scene.expect("pte-special-devmap", page: 4)
    scene.operation.entries[1].values[0] = 0
    try scene.expect("pte-special-devmap", page: 4)
    scene.operation.entries.removeLast()
    let unsure = try scene.expect("pte-special", .inferred, page: 6)
    #expect(unsure.summary.contains("0x7f10c0004000"))
  }

  @Test func acceptedAndNothingElseToBlame() throws {
    var scene = Self.fsdax([Scene.devmap])
    scene.operation.entries.append(
      .init(
        what: .hmmPFN, search: .walked, address: Scene.page(4), values: [1 << 63 | 0x28040]))
    try scene.expectUnknown()
  }

  @Test func faultBegunInThisCallbackExplainsItself() throws {
    // last behind the entry: it was accepted, and the fault of page 6 failed.
    try Self.fsdax([Scene.devmap, Scene.devmap, 0, 0], last: 6).expectUnknown(page: 6)
  }

  @Test func unmappedPageThatMayHaveBeenFaultedFirst() throws {
    let scene = Self.fsdax([Scene.devmap, Scene.devmap, 0], last: 4)
    let diagnosis = try scene.expect("pte-special-devmap", .inferred, page: 4)
    #expect(diagnosis.summary.contains("0x7f10c0006000"))
    // Behind the end of the file the fault is the likelier story.
    let short = scene.changed { $0.operation.mappings[0].file?.size = 6 * 4096 }
    try short.expect("fault-beyond-eof", .inferred, page: 6)
    // Where no fault began it is not one.
    try Self.fsdax([Scene.devmap, Scene.devmap, 0], last: 0).expect("pte-special-devmap", page: 4)
  }

  @Test func directHookOfAFaultThatFailed() throws {
    // The first page has been faulted in by then; the fault of a later one failed.
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_handle_pte", first: 4, count: 4, last: 4, entry: Scene.plain)
    scene.map(.tmpfs, size: 6 * 4096, at: 4)
    scene.walkTable([Scene.plain, Scene.plain, 0, 0], first: 4, last: 4)
    scene.outward()
    try scene.expect("fault-beyond-eof", page: 6)
  }

  @Test func directHookNamesNoLaterEntry() throws {
    // Its own page is accepted now, so it began a fault, which did not get to page 6.
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_handle_pte", first: 4, count: 4, last: 4, entry: Scene.plain)
    scene.map(.tmpfs, [.read, .write, .mixedMap], size: 6 * 4096, at: 4)
    scene.walkTable([Scene.plain, Scene.special, 0, 0], first: 4, last: 4)
    try scene.expect("fault-beyond-eof", page: 6)
  }

  @Test func pmdLeafIsNeverRejected() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_pmd", entry: Scene.noExecuteLeaf | 1 << 58)
    scene.map(.fsdax)
    scene.levels(0, pmd: Scene.noExecuteLeaf | 1 << 58)
    try scene.expectUnknown()
  }

  @Test func anOperationFromBeforeTheRecordingProvesNothing() throws {
    let scene = Self.fsdax(Self.five).changed { $0.operation.beganBeforeRecording = true }
    try scene.expect("pte-special-devmap", .inferred, page: 4)
  }

  @Test func lostRecordsProveNothing() throws {
    let scene = Self.fsdax(Self.five).changed { $0.operation.lost = 1 }
    try scene.expect("pte-special-devmap", .inferred, page: 4)
  }

  @Test func neighboursAroundThePage() throws {
    var entries = Array(repeating: Scene.plain, count: 10)
    entries[6] = Scene.devmap
    let diagnosis = try Self.fsdax(entries).expect("pte-special-devmap", page: 10)
    #expect(diagnosis.page?.neighbours.map(\.address) == (7...13).map { Scene.page($0) })
    #expect(diagnosis.page?.neighbours.filter { $0.flags.contains("DEVMAP") }.count == 1)
  }

  // MARK: pte-special

  static func raw(_ entries: [UInt64]) -> Scene {
    var scene = Scene(.adviseMR, .fault, on: .v73)
    scene.walkTable(entries)
    scene.map(.driver, [.read, .write, .mixedMap])
    scene.outward()
    return scene
  }

  @Test func specialInTheMiddle() throws {
    try Self.raw([Scene.plain, Scene.plain, Scene.special, Scene.plain]).expect(
      "pte-special", page: 2)
  }

  @Test func zeroPageIsAccepted() throws {
    let writable = Scene.zeroPage | 2
    try Self.raw([writable, writable]).expectUnknown()
    try Self.raw([writable, Scene.special]).expect("pte-special", page: 1)
  }

  @Test func specialOfUnknownFrameIsProvedOnlyInMixedMaps() throws {
    var scene = Self.raw([Scene.special])
    scene.traits.zeroPFN = nil
    try scene.expect("pte-special", page: 0)
    scene.operation.mappings[0].vmFlags &= ~VMAFlags.mixedMap.rawValue
    try scene.expect("pte-special", .inferred, page: 0)
    scene.operation.mappings[0].isAnonymous = true
    try scene.expectUnknown()
  }

  // MARK: pte-hwpoison

  @Test(arguments: [
    (Scene.Kernel.v510, UInt8(27)), (.v61, 22), (.v612, 23), (.v72, 24), (.v73, 24),
  ])
  func hwpoison(_ kernel: Scene.Kernel, _ type: UInt8) throws {
    var scene = Scene(.pageFault, .fault, on: kernel)
    scene.walkTable([Scene.plain, Scene.plain, Scene.swap(type, 0x777), Scene.plain], last: 0)
    scene.map(.anonymous)
    scene.outward()
    let diagnosis = try scene.expect("pte-hwpoison", page: 2)
    #expect(diagnosis.page?.flags == ["HWPOISON"])
    #expect(diagnosis.delivered == .completion)
    #expect(diagnosis.summary.hasPrefix("an on-demand page fault failed with EFAULT: page"))
    #expect(diagnosis.chainText.last == "ib_umem_odp_map_dma_and_lock -EFAULT direct")
    // The same bits are something else under another kernel's numbers.
    scene.operation.entries[0].values[2] = Scene.swap(type - 1, 0x777)
    try scene.expectUnknown(page: kernel == .v73 ? nil : 2)
  }

  @Test func poisonMetByAFault() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walkTable([Scene.plain, Scene.plain, Scene.plain, Scene.swap(22, 5)], last: 1)
    scene.map(.anonymous)
    let diagnosis = try scene.expect("fault-hwpoison", page: 3)
    #expect(diagnosis.chainText.first == "handle_mm_fault VM_FAULT_HWPOISON inferred")
  }

  @Test func swapinErrorOf61() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walkTable([Scene.plain, Scene.swap(31, 5)])
    scene.map(.anonymous)
    try scene.expect("pte-hwpoison", page: 1)
  }

  // MARK: pte-marker

  static let guardMarker: UInt64 = 0xffff_ffff_ffff_f600

  static func markers(_ entries: [UInt64], on kernel: Scene.Kernel, last: UInt64 = 0) -> Scene {
    var scene = Scene(.adviseMR, .fault, on: kernel)
    scene.walkTable(entries, first: 2, last: last)
    scene.map(.anonymous, at: 2)
    scene.outward()
    return scene
  }

  @Test(arguments: [Scene.Kernel.v72, .v73])
  func guardIsRejectedFrom70(_ kernel: Scene.Kernel) throws {
    let entries = [Scene.plain, Scene.plain, Self.guardMarker]
    let diagnosis = try Self.markers(entries, on: kernel, last: 2).expect("pte-marker", page: 4)
    #expect(diagnosis.summary.contains("PTE_MARKER_GUARD"))
    try Self.markers(entries, on: kernel, last: 0).expect("pte-marker", page: 4)
  }

  @Test func guardIsFaultedBefore70() throws {
    let entries = [Scene.plain, Scene.plain, Self.guardMarker]
    try Self.markers(entries, on: .v618, last: 4).expect("fault-sigsegv", page: 4)
    try Self.markers(entries, on: .v618, last: 2).expect("fault-sigsegv", page: 4)
    // Poisoned by UFFDIO_POISON: marker bit 2.
    let poisoned = Scene.swap(31, 2)
    try Self.markers([Scene.plain, poisoned], on: .v618, last: 3).expect("fault-hwpoison", page: 3)
  }

  @Test func userfaultfdMarkerIsAnEmptyEntry() throws {
    try Self.markers([Scene.swap(31, 1)], on: .v73).expectUnknown()
  }

  // MARK: pte-device-private

  @Test func devicePrivateBeforeMarkers() throws {
    let entry = Scene.swap(30, 0x55)
    var scene = Scene(.adviseMR, .fault, on: .v510)
    scene.walkTable([Scene.plain, entry], first: 2, last: 0)
    scene.map(.anonymous, at: 2)
    try scene.expect("pte-device-private", page: 3)
    // 6.1 faults it back.
    var newer = Scene(.adviseMR, .fault, on: .v61)
    newer.walkTable([Scene.plain, Scene.swap(26, 0x55)], first: 2, last: 3)
    newer.map(.anonymous, at: 2)
    try newer.expectUnknown(page: 3)
  }

  // MARK: pmd-unexpected

  @Test func badAndAbsentPMD() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_pmd", entry: 0x1_2345_6005)
    scene.map(.anonymous)
    let bad = try scene.expect("pmd-unexpected", page: 0)
    #expect(bad.page?.level == "pmd")
    #expect(bad.chainText.first == "hmm_vma_walk_pmd -EFAULT direct")
    scene.operation.walks[0].entry = Scene.swap(22, 0x200)
    try scene.expect("pmd-unexpected", page: 0)
    // Migration is waited for, never refused.
    scene.operation.walks[0].entry = Scene.swap(25, 0x200)
    try scene.expectUnknown()
  }
}
