// SPDX-License-Identifier: Apache-2.0

import Model

// What the on-demand umem refuses.
extension CorpusEntry {
  private static func mapped(
    _ result: Int64, start: UInt64 = Scene.base, length: UInt64 = 4096, mask: UInt64 = 1 << 62,
    shift: UInt32 = 12, on kernel: Scene.Kernel = .v73
  ) -> Scene {
    .make(.pageFault, Errno(rawValue: Int32(-result)), on: kernel) {
      $0.umem(pageShift: shift)
      $0.layer("ib_umem_odp_map_dma_and_lock", result, [1, start, length, mask, 1])
    }
  }

  static let umemEntries: [CorpusEntry] = [
    CorpusEntry("mr-range-exceeded", "U5", mapped(-14, start: Scene.base - 4096)) {
      $0.operation.layers[0].arguments[1] = Scene.base
    },
    CorpusEntry(
      "mr-range-exceeded", "V16",
      mapped(-14, start: 0x1000).changed { $0.operation.mr.iova = 0 }
    ) { $0.operation.layers[0].arguments[1] = Scene.base },
    CorpusEntry("owner-exited", "U6", mapped(-22)) { $0.operation.kind = .regMR },
    CorpusEntry("page-size-mismatch", "U8", .inferred, mapped(-22, length: 1 << 21, shift: 21)) {
      $0.operation.umems[0].pageShift = 12
    },
    CorpusEntry(
      "page-size-mismatch", "U8",
      mapped(-22, length: 1 << 21, shift: 21).changed { $0.operation.kind = .regMR }
    ) { $0.operation.umems[0].pageShift = 12 },
    CorpusEntry(
      "page-size-mismatch", "U8",
      mapped(-22, length: 1 << 21, shift: 21).changed {
        $0.operation.kind = .adviseMR
        $0.operation.umems[0].ownerPID = $0.operation.runner.pid
      }
    ) { $0.operation.umems[0].pageShift = 12 },
    CorpusEntry("dma-mapping-failed", "U9", mapped(-14, mask: 3, on: .v612)) {
      $0.operation.layers[0].arguments[3] = 1 << 62
    },
    CorpusEntry("length-invalid", "H13", mapped(-22, length: 0)) {
      $0.operation.layers[0].arguments[2] = 1
    },
    CorpusEntry("length-invalid", "U1", VerbCauseTests.get(-75, size: .max - 4096)) {
      $0.operation.layers[0].arguments[2] = 4096
    },
    CorpusEntry("page-list-allocation", "U1", VerbCauseTests.get(-12, size: 1 << 46)) {
      $0.operation.layers[0].result = -75
    },
    CorpusEntry("page-list-allocation", "U3", VerbCauseTests.get(-12, size: 4096)) {
      $0.operation.layers[0].result = -22
    },
    CorpusEntry("dma-unsupported", "U2", VerbCauseTests.get(-95, size: 4096)) {
      $0.operation.layers[0].result = -12
    },
    CorpusEntry("invalidation-livelock", "U7", mapped(-16)) {
      $0.operation.layers[0].result = -14
    },
    CorpusEntry(
      "invalidation-livelock", "H10",
      mapped(-16, on: .v61).changed { $0.range("hmm_range_fault", .busy) }
    ) { $0.operation.layers[0].result = -14 },
    CorpusEntry(
      "mm-unstable", "H11",
      mapped(-14).changed {
        $0.range("hmm_range_fault_unlocked_timeout", .fault)
        // It returned before its caller did.
        $0.operation.layers[0].timeNs += 100
      }
    ) { $0.range("hmm_range_fault_locked", .fault) },
  ]
}
