// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct PinCauseTests {
  @Test(arguments: Scene.Kernel.allCases)
  func fsdax(_ kernel: Scene.Kernel) throws {
    var scene = Scene.pin(.opnotsupp, on: kernel)
    scene.map(.fsdax)
    let diagnosis = try scene.expect("pin-fsdax", page: 0)
    #expect(diagnosis.chainText.first == "check_vma_flags -EOPNOTSUPP replayed")
    #expect(diagnosis.fileOffset == 0)
  }

  @Test func fsdaxBehindAnonymousMemory() throws {
    var scene = Scene.pin(.opnotsupp)
    scene.map(.anonymous, count: 8)
    scene.map(.fsdax, first: 8, pageOffset: 3)
    let diagnosis = try scene.expect("pin-fsdax", page: 8)
    #expect(diagnosis.fileOffset == 3 * 4096)
  }

  @Test func errnoMustFitTheMapping() throws {
    var fsdax = Scene.pin(.fault)
    fsdax.map(.fsdax)
    try fsdax.expectUnknown()
    var hole = Scene.pin(.opnotsupp)
    hole.gap(3)
    try hole.expectUnknown()
  }

  @Test func mappingOutsideTheRangeIsNotToBlame() throws {
    var scene = Scene.pin(.opnotsupp, pages: 8)
    scene.map(.fsdax, first: 8)
    try scene.expectUnknown()
  }

  @Test func firstRefusedMappingDecides() throws {
    var scene = Scene.pin(.fault)
    scene.map(.driver, [.read, .write, .pfnMap], first: 8, count: 2)
    scene.gap(4)
    try scene.expect("mapping-missing", page: 4)
  }

  @Test func gap() throws {
    var scene = Scene.pin(.fault, on: .v73)
    scene.gap(8)
    let diagnosis = try scene.expect("mapping-missing", page: 8)
    #expect(
      diagnosis.chainText == [
        "__get_user_pages -EFAULT replayed", "__ib_umem_get_va -EFAULT direct",
        "ib_uverbs_reg_mr -EFAULT direct",
      ])
  }

  @Test func device() throws {
    var scene = Scene.pin(.fault)
    scene.map(.driver, [.read, .write, .io, .pfnMap])
    try scene.expect("mapping-device", page: 0)
  }

  @Test func protNoneMeetsTheCheckForWritingFirst() throws {
    var writable = Scene.pin(.fault)
    writable.map(.anonymous, [.mayWrite], first: 8, count: 1)
    try writable.expect("mapping-not-writable", page: 8)
    var readable = Scene.pin(.fault, access: 4)
    readable.map(.anonymous, [.mayWrite], first: 8, count: 1)
    try readable.expect("mapping-not-readable", page: 8)
  }

  @Test func readOnlySharedMapping() throws {
    var scene = Scene.pin(.fault)
    scene.map(.tmpfs, [.read])
    try scene.expect("mapping-not-writable", page: 0)
    // A read-only MR is fine there, but on kernels that always pin for writing.
    var reading = Scene.pin(.fault, access: 4)
    reading.map(.tmpfs, [.read])
    try reading.expectUnknown()
    var old = Scene.pin(.fault, on: .v61, access: 4)
    old.map(.tmpfs, [.read])
    let diagnosis = try old.expect("mapping-not-writable", page: 0)
    #expect(diagnosis.summary.contains("even a read-only MR"))
    // FOLL_FORCE breaks copy-on-write of a private mapping.
    var cow = Scene.pin(.fault, on: .v61, access: 4)
    cow.map(.anonymous, [.read, .mayWrite])
    try cow.expectUnknown()
  }

  @Test func fileThatTracksWrites() throws {
    var scene = Scene.pin(.fault)
    scene.map(.disk)
    try scene.expect("pin-file-backed", page: 0)
    try scene.changed { $0.traits.refusesFilePins = false }.expectUnknown()
    try scene.changed { $0.operation.mappings[0].file?.filesystem = "tmpfs" }.expectUnknown()
    try scene.changed { $0.operation.mappings[0].vmFlags &= ~VMAFlags.shared.rawValue }
      .expectUnknown()
    var reading = Scene.pin(.fault, access: 4)
    reading.map(.disk)
    try reading.expectUnknown()
  }

  @Test func secretMemory() throws {
    var scene = Scene.pin(.fault)
    scene.map(.tmpfs)
    scene.operation.mappings[0].file?.filesystem = "secretmem"
    try scene.expect("pin-secretmem", page: 0)
  }

  @Test func memlockLimit() throws {
    let scene = Scene.pin(.nomem, pages: 16, limit: 65536, pinned: 1)
    try scene.expect("pin-memlock-limit", .inferred)
    try scene.changed { $0.operation.umems[0].mayLock = false }.expect("pin-memlock-limit")
    try scene.changed { $0.operation.umems[0].mayLock = true }.expectUnknown()
    // Exactly at the limit is allowed.
    try scene.changed { $0.operation.umems[0].pinnedPages = 0 }.expectUnknown()
    try scene.changed { $0.operation.umems[0].memlockLimit = nil }.expectUnknown()
  }

  @Test func memlockForbidden() throws {
    try Scene.pin(.perm, limit: 0).expect("pin-memlock-forbidden")
    try Scene.pin(.perm, limit: 4096).expectUnknown()
    try Scene.pin(.nomem, pages: 1, limit: 4096).expectUnknown()
  }

  @Test func refusedByTheDriverOnly() throws {
    // No ib_umem_get() in sight: fsdax says nothing then.
    var scene = Scene(.regMR, .opnotsupp)
    scene.operation.mr.access = 1
    scene.map(.fsdax)
    try scene.expectUnknown()
  }

  /// A special entry behind pages that can be pinned: -EEXIST from follow_page_pte().
  private func special(_ errno: Errno, entry: UInt64, flags: VMAFlags = .mixedMap) -> Scene {
    var scene = Scene.pin(errno)
    scene.map(.driver, [.read, .write, .shared, flags], first: 8, count: 8)
    var levels = LevelsEvidence(address: Scene.page(8), pagingLevels: 5)
    levels.pmd = Scene.table
    levels.pte = entry
    scene.operation.levels.append(levels)
    return scene
  }

  @Test func specialEntryCannotBePinned() throws {
    let diagnosis = try special(.exist, entry: Scene.special).expect("pte-special", page: 8)
    #expect(diagnosis.chainText.first == "follow_page_pte -EEXIST replayed")
    #expect(diagnosis.page?.flags.contains("SPECIAL") == true)
  }

  @Test func otherEntriesAreNotNamedSpecial() throws {
    try special(.exist, entry: Scene.plain).expectUnknown()
    try special(.exist, entry: Scene.zeroPage).expectUnknown()
    try special(.exist, entry: 0).expectUnknown()
    try special(.exist, entry: Scene.special, flags: .read).expectUnknown()
    try special(.nomem, entry: Scene.special).expectUnknown()
  }
}
