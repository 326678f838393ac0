// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct MappingCauseTests {
  // MARK: mapping-missing

  @Test(arguments: Scene.Kernel.allCases)
  func gapInTheMiddle(_ kernel: Scene.Kernel) throws {
    var scene = Scene(.adviseMR, .fault, on: kernel)
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, last: 0, hasVMA: false)
    scene.gap(5)
    scene.outward()
    let diagnosis = try scene.expect("mapping-missing", page: 5)
    #expect(
      diagnosis.summary
        == "advise_mr failed with EFAULT: no mapping holds page 0x7f10c0005000: the gap reaches "
        + "from 0x7f10c0005000 to 0x7f10c0006000")
    #expect(diagnosis.chainText.first == "hmm_vma_walk_hole -EFAULT direct")
    #expect(diagnosis.mapping?.found == false)
    #expect(diagnosis.fileOffset == nil)
  }

  @Test func holeInAMappingIsNoGap() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, last: 5)
    scene.map(.anonymous, at: 5)
    scene.levels(5, pmd: 0)
    let diagnosis = try scene.expectUnknown(page: 5)
    #expect(diagnosis.summary.contains("0x7f10c0005000 of anonymous memory, not mapped"))
  }

  @Test func goneBetweenWalkAndFault() throws {
    var scene = Scene(.adviseMR, .fault, on: .v73)
    scene.faultPhase(.fault, first: 5, count: 4)
    scene.gap(5)
    scene.outward()
    let diagnosis = try scene.expect("mapping-missing", page: 5)
    #expect(diagnosis.chainText.first == "hmm_do_fault -EFAULT replayed")
    try scene.changed {
      $0.operation.mappings = []
      $0.map(.anonymous)
    }.expectUnknown()
  }

  @Test func asynchronousPrefetchIsDiscarded() throws {
    var scene = Scene(.prefetch, .fault)
    scene.operation.ownerPID = 77
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
    scene.gap(5)
    scene.outward()
    let diagnosis = try scene.expect("mapping-missing", page: 5)
    #expect(diagnosis.delivered == .discarded)
    #expect(diagnosis.chainText.last == "ib_umem_odp_map_dma_and_lock -EFAULT direct")
  }

  // MARK: refused by hmm_vma_walk_test()

  static func refused(_ flags: VMAFlags, on kernel: Scene.Kernel = .v61) -> Scene {
    var scene = Scene(.adviseMR, .fault, on: kernel)
    scene.walk("hmm_vma_walk_test", first: 3, count: 8, last: 0)
    scene.map(.driver, flags, first: 3, count: 8)
    scene.outward()
    return scene
  }

  @Test func deviceMemory() throws {
    let diagnosis = try Self.refused([.read, .write, .io, .pfnMap]).expect(
      "mapping-device", page: 3)
    #expect(diagnosis.summary.contains("PFNMAP and IO"))
    #expect(diagnosis.summary.contains("of a mapping without a file"))
    try Self.refused([.read, .pfnMap]).expect("mapping-device", page: 3)
    try Self.refused([.io]).expect("mapping-device", page: 3)
  }

  @Test func notReadable() throws {
    try Self.refused([]).expect("mapping-not-readable", page: 3)
    try Self.refused([.write]).expect("mapping-not-readable", page: 3)
  }

  @Test func nothingWrongWithTheMapping() throws {
    try Self.refused([.read, .write]).expectUnknown(page: 3)
  }

  @Test func mixedMapOfOldKernels() throws {
    let scene = Self.refused([.read, .write, .mixedMap])
    try scene.changed { $0.traits.rejectsMixedMap = true }.expect("mapping-mixedmap", page: 3)
    // Whatever its version says: nothing else can be why.
    try scene.expect("mapping-mixedmap", page: 3)
    try Self.refused([.read, .write, .mixedMap, .io]).expect("mapping-device", page: 3)
    try Self.refused([.write, .mixedMap]).expect("mapping-not-readable", page: 3)
  }

  @Test func mappingThatWasNotReadProvesNothing() throws {
    try Self.refused([]).changed { $0.operation.mappings = [] }.expectUnknown(page: 3)
  }

  // MARK: mapping-not-writable

  @Test func writeToReadOnlyMapping() throws {
    var scene = Scene(.adviseMR, .perm)
    scene.walk("hmm_vma_walk_pmd", .perm, first: 2, count: 8, last: 6, entry: Scene.table)
    scene.ptes(Array(repeating: Scene.readOnly, count: 8), first: 2)
    scene.map(.tmpfs, [.read], at: 2)
    scene.outward(.perm)
    let diagnosis = try scene.expect("mapping-not-writable", page: 6)
    #expect(
      Array(diagnosis.chainText.prefix(2)) == [
        "hmm_vma_fault -EPERM replayed", "hmm_vma_walk_pmd -EPERM direct",
      ])
    #expect(diagnosis.page?.raw == Scene.readOnly)
    try scene.changed { $0.operation.mappings[0].vmFlags |= 2 }.expectUnknown(page: 6)
    try scene.changed { $0.operation.mappings = [] }.expectUnknown(page: 6)
  }

  @Test func writeToReadOnlyMappingOn73() throws {
    var scene = Scene(.adviseMR, .perm, on: .v73)
    scene.faultPhase(.perm, first: 8, count: 8, write: true)
    scene.map(.anonymous, [.read], at: 8)
    scene.outward(.perm)
    let diagnosis = try scene.expect("mapping-not-writable", page: 8)
    #expect(
      Array(diagnosis.chainText.prefix(3)) == [
        "hmm_do_fault -EPERM replayed", "hmm_range_fault_locked -EPERM direct",
        "hmm_range_fault_unlocked_timeout -EPERM direct",
      ])
  }
}
