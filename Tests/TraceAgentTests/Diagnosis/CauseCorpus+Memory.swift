// SPDX-License-Identifier: Apache-2.0

import Model

// Entries and mappings that HMM rejects.
extension CorpusEntry {
  private static func table(
    _ entry: UInt64, on kernel: Scene.Kernel, _ memory: Scene.Memory = .anonymous,
    flags: VMAFlags = [.read, .write]
  ) -> Scene {
    .make(.adviseMR, .fault, on: kernel) {
      $0.walkTable([Scene.plain, Scene.plain, entry], last: 0)
      $0.map(memory, flags)
      $0.outward()
    }
  }

  private static func pmd(_ entry: UInt64) -> Scene {
    .make(.adviseMR, .fault, on: .v612) {
      $0.walk("hmm_vma_walk_pmd", last: 0, entry: entry)
      $0.map(.anonymous)
      $0.levels(0, pmd: entry)
      $0.outward()
    }
  }

  private static func test(
    _ memory: Scene.Memory, _ flags: VMAFlags, on kernel: Scene.Kernel = .v72
  ) -> Scene {
    .make(.adviseMR, .fault, on: kernel) {
      $0.walk("hmm_vma_walk_test")
      $0.map(memory, flags)
      $0.levels(0, pmd: 0)
      $0.outward()
    }
  }

  private static func writing(on kernel: Scene.Kernel) -> Scene {
    .make(.adviseMR, .perm, on: kernel) {
      if kernel == .v73 {
        $0.faultPhase(.perm, first: 2, count: 4, write: true)
      } else {
        $0.walk("hmm_vma_walk_pmd", .perm, first: 2, count: 4, last: 2, entry: Scene.table)
      }
      $0.map(.tmpfs, .read, at: 2)
      $0.outward(.perm)
    }
  }

  static let memoryEntries: [CorpusEntry] = [
    CorpusEntry("pte-special-devmap", "H3a", table(Scene.devmap, on: .v61, .fsdax)) {
      $0.operation.entries.append(
        .init(
          what: .hmmPFN, search: .walked, address: Scene.page(2), values: [1 << 63 | 0x28040]))
    },
    CorpusEntry(
      "pte-special", "H3",
      table(Scene.special, on: .v72, .driver, flags: [.read, .write, .mixedMap])
    ) { $0.operation.entries[0].values[2] = Scene.zeroPage },
    CorpusEntry("pte-hwpoison", "H4", table(Scene.swap(22, 5), on: .v61)) {
      $0.operation.entries[0].values[2] = Scene.swap(23, 5)  // under migration
    },
    CorpusEntry("pte-marker", "H4", table(Scene.swap(31, 4), on: .v72)) {
      $0.operation.entries[0].values[2] = Scene.swap(31, 1)  // userfaultfd's
    },
    CorpusEntry(
      "pte-device-private", "H4", .inferred,
      table(Scene.swap(30, 5), on: .v510)
    ) {
      $0.traits = Scene.traits(.v61)
      $0.operation.entries[0].values[2] = Scene.swap(26, 5)
    },
    CorpusEntry("pmd-unexpected", "H6", pmd(0x1_2345_6061)) {
      $0.operation.walks[0].entry = Scene.table
      $0.operation.levels[0].pmd = Scene.table
    },
    CorpusEntry("pmd-unexpected", "H5", pmd(Scene.swap(23, 5))) {
      $0.operation.walks[0].entry = Scene.swap(25, 5)  // under migration
      $0.operation.levels[0].pmd = Scene.swap(25, 5)
    },
    CorpusEntry(
      "mapping-missing", "H1",
      .make(.adviseMR, .fault, on: .v72) {
        $0.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
        $0.gap(5)
        $0.outward()
      }
    ) { $0.operation.walks[0].hasVMA = true },
    CorpusEntry(
      "mapping-missing", "H12",
      .make(.adviseMR, .fault, on: .v73) {
        $0.faultPhase(.fault, first: 5, count: 1)
        $0.gap(5)
        $0.outward()
      }
    ) { $0.operation.mappings = [] },
    CorpusEntry("mapping-device", "H2", test(.driver, [.read, .write, .io, .pfnMap])) {
      $0.removeFlags([.io, .pfnMap])
    },
    CorpusEntry("mapping-not-readable", "H2", test(.anonymous, .mayWrite)) {
      $0.operation.mappings[0].vmFlags |= VMAFlags.read.rawValue
    },
    CorpusEntry(
      "mapping-mixedmap", "H2",
      test(.driver, [.read, .write, .mixedMap], on: .v510).changed {
        $0.traits.rejectsMixedMap = true
      }
    ) { $0.removeFlags(.mixedMap) },
    // A 5.10 with an older mm/hmm.c than its version says.
    CorpusEntry(
      "mapping-mixedmap", "H2", test(.driver, [.read, .write, .mixedMap], on: .v510)
    ) { $0.operation.mappings[0].vmFlags |= VMAFlags.pfnMap.rawValue },
    CorpusEntry("mapping-not-writable", "H8", writing(on: .v61)) {
      $0.operation.mappings[0].vmFlags |= VMAFlags.write.rawValue
    },
    CorpusEntry("mapping-not-writable", "H8", writing(on: .v73)) { $0.operation.mappings = [] },
  ]
}
