// SPDX-License-Identifier: Apache-2.0

import Model

// What ends an operation whatever its memory is, and what is told of pages and processes beside.
extension CorpusEntry {
  private static func refused(
    _ errno: Errno, _ what: RefusalEvidence.What, killer: RefusalEvidence.Killer = .unknown,
    _ change: (inout RefusalEvidence) -> Void = { _ in }
  ) -> Scene {
    .make(.regMR, errno, on: .v73) {
      var refusal = RefusalEvidence(what, killer: killer)
      change(&refusal)
      $0.operation.refusals = [refusal]
    }
  }

  /// Of an MR that is pinned, for which soft-RoCE maps pages all the same.
  private static func pinnedMR(_ result: Int64 = -14, isODP: Bool = false) -> Scene {
    VerbCauseTests.advise(Errno(rawValue: Int32(-result)), advice: 0).changed {
      var registered = MemoryRegion()
      registered.address = Scene.base
      registered.length = 0x20_0000
      registered.access = 0x03
      $0.operation.lkey = 0x1a2b
      $0.operation.keyRegistration = registered
      $0.operation.mr = MemoryRegion()
      $0.umem(isODP: isODP)
      $0.layer("ib_umem_odp_map_dma_and_lock", result, [1, Scene.base, 4096, 0, 1])
      $0.layer("rxe_ib_advise_mr", result, [1, 0])
    }
  }

  private static func killedInPin(
    _ errno: Errno, _ killer: RefusalEvidence.Killer, on kernel: Scene.Kernel = .v612
  ) -> Scene {
    Scene.pin(errno, on: kernel).changed {
      $0.operation.refusals = [RefusalEvidence(.killed, killer: killer)]
    }
  }

  static let refusalEntries: [CorpusEntry] = [
    CorpusEntry(
      "rdma-cgroup-limit", "Q1",
      refused(.again, .rdmaCgroup) {
        $0.cgroup = 99
        $0.cgroupPath = "/box"
        $0.usage = 4
        $0.limit = 4
      }
    ) { $0.layer("rxe_reg_user_mr", -11) },
    CorpusEntry(
      "rdma-cgroup-limit", "Q1",
      refused(.again, .rdmaCgroup) {
        $0.usage = 0
        $0.limit = 0
      }
    ) { $0.operation.refusals = [RefusalEvidence(.deviceRemoved)] },
    CorpusEntry("device-removed", "Q2", refused(.io, .deviceRemoved) { $0.device = "uverbs0" }) {
      $0.operation.refusals = []
    },
    CorpusEntry("device-removed", "Q2", refused(.io, .deviceRemoved)) {
      $0.layer("mlx5_ib_reg_user_mr", -5)
    },
    CorpusEntry("killed", "Q11", killedInPin(.intr, .signal(15))) { $0.operation.refusals = [] },
    CorpusEntry("killed", "Q11", killedInPin(.again, .memoryCgroup)) {
      $0.operation.refusals[0].what = .deviceRemoved
    },
    CorpusEntry("killed", "Q11", .inferred, refused(.again, .killed, killer: .exit)) {
      $0.operation.refusals = [RefusalEvidence(.rdmaCgroup)]
    },
    CorpusEntry("mr-key-invalid", "V10", pinnedMR()) { $0.operation.umems[0].isODP = true },
    CorpusEntry("mr-key-invalid", "V10", pinnedMR(-22)) { $0.operation.umems[0].isODP = true },
    CorpusEntry(
      "mr-key-invalid", "V10",
      pinnedMR().changed { $0.operation.umems[0].pageShift = nil }
    ) { $0.operation.keyRegistration?.access = 0x43 },
    CorpusEntry(
      "mr-key-invalid", "V10", .inferred,
      pinnedMR(-22).changed {
        $0.operation.layers = []
        $0.operation.umems = []
      }
    ) { $0.operation.keyRegistration?.access = 0x43 },
    CorpusEntry(
      "mapping-missing", "P6",
      Scene.pin(.fault, on: .v73).changed {
        $0.gap(0)
        $0.operation.forked = [forked(Scene.page(0))]
      }
    ) { $0.operation.mappings = [] },
    CorpusEntry(
      "pin-migration-failed", "P13",
      Scene.pin(.nomem, on: .v73).changed {
        $0.layer("migrate_pages", 1)
        $0.operation.layers.reverse()
        $0.operation.folios = [folio(at: Scene.page(3))]
      }
    ) { $0.operation.layers.removeFirst() },
  ]

  static func forked(_ address: UInt64) -> ForkedEvidence {
    ForkedEvidence(
      address: address, start: Scene.base, end: Scene.page(16), vmFlags: 0x12_0073, forkedNs: 5,
      pid: 4241, comm: "parent")
  }

  /// A page of anonymous memory in ZONE_MOVABLE, with a reference of a pipe.
  static func folio(at address: UInt64) -> FolioEvidence {
    var folio = FolioEvidence(
      identity: 0xffff_ea00_0084_0100, index: address >> 12, references: 3, state: .anonymous)
    folio.address = address
    folio.frame = 0x21004
    folio.mappings = 1
    folio.pages = 1
    folio.zone = .movable
    folio.node = 0
    return folio
  }
}
