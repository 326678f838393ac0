// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct RefusalCauseTests {
  private func refused(_ errno: Errno, _ refusal: RefusalEvidence) -> Scene {
    var scene = Scene(.regMR, errno, on: .v73)
    scene.operation.refusals = [refusal]
    return scene
  }

  @Test func theLimitOfAControlGroup() throws {
    var refusal = RefusalEvidence(.rdmaCgroup)
    refusal.cgroup = 99
    refusal.cgroupPath = "/box"
    refusal.usage = 4
    refusal.limit = 4
    var scene = refused(.again, refusal)
    var diagnosis = try scene.expect("rdma-cgroup-limit")
    #expect(
      diagnosis.summary
        == "reg_mr failed with EAGAIN: control group /box has 4 of the 4 objects of "
        + "the device rxe0 that its limit allows (hca_object in rdma.max)")
    #expect(
      diagnosis.chainText == [
        "rdmacg_try_charge -EAGAIN replayed", "ib_uverbs_reg_mr -EAGAIN direct",
      ])
    scene.operation.owner = OwnerEvidence(pids: [412], pidNamespace: 1, startNs: 5, cgroup: 100)
    scene.operation.owner?.cgroupPath = "/box/job"
    diagnosis = try scene.expect("rdma-cgroup-limit")
    #expect(diagnosis.summary.contains("/box, above the process's own /box/job, has 4 of the 4"))
  }

  @Test func theDeviceIsGone() throws {
    var refusal = RefusalEvidence(.deviceRemoved)
    refusal.device = "uverbs0"
    let diagnosis = try refused(.io, refusal).expect("device-removed")
    #expect(diagnosis.summary.contains("the device of uverbs0 was removed while"))
    try refused(.inval, refusal).expectUnknown()
  }

  @Test(arguments: [
    (RefusalEvidence.Killer.signal(9), "by SIGKILL, and"), (.signal(15), "by SIGTERM, and"),
    (.signal(44), "by signal 44, and"), (.exit, ": another of its threads called exit(), and"),
    (.exec, ": another of its threads called exec(), and"),
    (.host, "for want of memory of the machine (by the out-of-memory killer), and"),
    (.outOfMemory, "for want of memory (by the out-of-memory killer), and"),
    (.unknown, "is being killed, and the kernel broke off ib_umem_get()"),
  ])
  func killers(_ killer: RefusalEvidence.Killer, _ words: String) throws {
    var scene = Scene.pin(.intr)
    scene.operation.refusals = [RefusalEvidence(.killed, killer: killer)]
    #expect(try scene.expect("killed").summary.contains(words))
  }

  @Test func aMemoryCgroupKills() throws {
    var refusal = RefusalEvidence(.killed, killer: .memoryCgroup)
    refusal.cgroup = 99
    refusal.cgroupPath = "/box"
    refusal.usage = 1024
    refusal.limit = 1024
    var scene = Scene.pin(.intr)
    scene.operation.refusals = [refusal]
    #expect(
      try scene.expect("killed").summary.contains(
        "for want of memory of control group /box (1024 pages of the 1024 pages of its limit), and")
    )
  }

  @Test func aChildWasNotGivenItsParentsMemory() throws {
    var scene = Scene.pin(.fault, on: .v73)
    scene.gap(0)
    let plain = try scene.expect("mapping-missing", page: 0)
    scene.operation.forked = [CorpusEntry.forked(Scene.page(0))]
    let child = try scene.expect("mapping-missing", page: 0)
    #expect(
      child.summary.hasSuffix(
        "The process is a child: its parent, pid 4241 (parent), has memory there that children do "
          + "not get (DONTCOPY, of madvise(MADV_DONTFORK))"))
    #expect(child.advice != plain.advice && child.advice.joined().contains("ibv_fork_init()"))
    scene.operation.forked[0].registration = scene.operation.mr
    let known = try scene.expect("mapping-missing", page: 0)
    #expect(
      known.summary.hasSuffix(
        "had registered 2097152 bytes from 0x7f10c0000000 on before it forked"))
    // Of another page it says nothing.
    scene.operation.forked[0].address = Scene.page(9)
    #expect(try scene.expect("mapping-missing", page: 0).summary == plain.summary)
  }

  private func migration(_ change: (inout FolioEvidence) -> Void) -> Scene {
    Scene.pin(.nomem, on: .v73).changed {
      $0.layer("migrate_pages", 1)
      $0.operation.layers.reverse()
      var folio = CorpusEntry.folio(at: Scene.page(3))
      change(&folio)
      $0.operation.folios = [folio]
    }
  }

  @Test func whatHoldsAPage() throws {
    var found = try migration { _ in }.expect("pin-migration-failed", page: 3)
    #expect(
      found.summary.hasSuffix(
        "the range has pages in ZONE_MOVABLE, out of which a long-term pin has to move them, and 1 "
          + "page could not be moved: page 0x7f10c0003000 (frame 0x21004, node 0) has 3 references and "
          + "1 mapping; 1 reference to it is neither a mapping's nor a cache's: something holds it, "
          + "such as a pipe (vmsplice), a socket, or a transfer in progress"))
    found = try migration {
      $0.zone = .normal; $0.references = 2050
    }.expect(
      "pin-migration-failed", page: 3)
    #expect(found.summary.contains("pages in CMA memory, out of"))
    #expect(found.summary.contains("another pin holds it (2 pins by its references)"))
    found = try migration { $0.references = 2 }.expect("pin-migration-failed", page: 3)
    #expect(found.summary.hasSuffix("has 2 references and 1 mapping; nothing else holds it"))
    found = try migration { $0.state.insert(.writeback) }.expect("pin-migration-failed", page: 3)
    #expect(found.summary.hasSuffix("; it is being written back"))
    found = try migration {
      $0.pages = 512
      $0.references = 2
      $0.pins = 1
    }.expect("pin-migration-failed", page: 3)
    #expect(
      found.summary.contains("the 512 pages in one piece at 0x7f10c0003000")
        && found.summary.hasSuffix("another pin holds it (1 pin)"))
    // What a kernel does not say of it is not guessed.
    found = try migration { $0.mappings = nil }.expect("pin-migration-failed", page: 3)
    #expect(found.summary.hasSuffix("has 3 references"))
  }

  @Test func aPageOfAFile() throws {
    var scene = migration {
      $0.address = nil
      $0.frame = nil
      $0.state = [.file, .dirty]
      $0.inode = 13
      $0.index = 7
      $0.references = 3
    }
    scene.map(.tmpfs, [.read, .write, .shared], first: 2, count: 8, pageOffset: 5)
    scene.operation.mappings[0].file?.inode = 13
    let found = try scene.expect("pin-migration-failed", page: 4)
    #expect(found.summary.hasSuffix("nothing else holds it"))
  }

  @Test func keyOfAPinnedMR() throws {
    let scene = CorpusEntry.refusalEntries.first { $0.cause == "mr-key-invalid" }?.scene
    #expect(
      try scene?.expect("mr-key-invalid").summary.hasSuffix(
        "lkey 0x1a2b is that of a pinned MR, which cannot be advised: 2097152 bytes from "
          + "0x7f10c0000000 on were registered without ON_DEMAND") == true)
  }
}
