// SPDX-License-Identifier: Apache-2.0

import Model

// Page faults that failed, of HMM's (H7) and of a pin's (P10, P12).
extension CorpusEntry {
  /// Faulting began at page 2 and stopped at page 3.
  static func faulted(
    on kernel: Scene.Kernel, _ memory: Scene.Memory, _ errno: Errno = .fault, entry: UInt64 = 0,
    size: UInt64 = 0x20_0000
  ) -> Scene {
    .make(.adviseMR, errno, on: kernel) {
      if kernel == .v73 {
        $0.faultPhase(errno, first: 2, count: 4)
        $0.ptes([Scene.plain, entry, 0, 0], first: 2, search: .faulted)
      } else {
        $0.walkTable([Scene.plain, entry, 0, 0], first: 2, last: 2, write: false)
      }
      $0.map(memory, size: size, at: 2)
      $0.levels(3, pmd: Scene.table, pte: entry)
      $0.outward(errno)
    }
  }

  static func witnessed(
    on kernel: Scene.Kernel, _ memory: Scene.Memory, _ code: UInt32, by witnesses: String...
  ) -> Scene {
    faulted(on: kernel, memory).changed {
      for witness in witnesses { $0.fault(code, page: 3, witness: witness) }
    }
  }

  static func hugetlb(_ code: UInt32) -> Scene {
    .make(.adviseMR, .fault, on: .v72) {
      $0.walk("hmm_vma_walk_hugetlb_entry", count: 512, last: 0)
      $0.mapFile("hugetlbfs", path: "/anon_hugepage")
      $0.levels(0, pmd: 0)
      $0.fault(code, page: 0, witness: "hugetlb_fault")
      $0.outward()
    }
  }

  /// A pin that stopped at page 3: the pages before are mapped.
  static func stopped(
    _ errno: Errno = .fault, on kernel: Scene.Kernel = .v612, entry: UInt64 = 0
  ) -> Scene {
    Scene.pin(errno, on: kernel).changed {
      let plain = Array(repeating: Scene.plain, count: 3)
      $0.ptes(plain + [entry] + Array(repeating: 0, count: 12), first: 0, search: .faulted)
      $0.operation.umems[0].mayLock = true
    }
  }

  static let faultEntries: [CorpusEntry] = [
    CorpusEntry("fault-beyond-eof", "H7a", faulted(on: .v72, .tmpfs, size: 3 * 4096)) {
      $0.operation.mappings[0].file?.size += 1
    },
    CorpusEntry(
      "fault-beyond-eof", "P12", stopped().changed { $0.map(.tmpfs, size: 3 * 4096) }
    ) { $0.operation.mappings[0].file?.size += 1 },
    CorpusEntry(
      "fault-beyond-eof", "P12", .inferred,
      Scene.pin(.fault).changed { $0.map(.tmpfs, size: 3 * 4096) }
    ) { $0.operation.mappings[0].file?.size = 16 * 4096 },
    CorpusEntry(
      "fault-no-space", "H7a",
      witnessed(on: .v72, .fsdax, 2, by: "dax_pte_fault_done", "dax_iomap_fault", "handle_mm_fault")
        .changed { $0.operation.faults[1].error = -28 }
    ) { $0.operation.faults[1].error = -5 },
    CorpusEntry(
      "fault-no-space", "H7a",
      witnessed(on: .v61, .fsdax, 2, by: "dax_pte_fault_done").changed {
        $0.operation.mappings[0].file?.filesystem = "xfs"
        $0.layer("xfs_iomap_write_direct", -28)
      }
    ) { $0.operation.layers.removeLast() },
    // 5.10 looks for fsdax memory only after it has faulted it in.
    CorpusEntry(
      "fault-no-space", "P12",
      stopped(on: .v510).changed {
        $0.map(.fsdax)
        $0.fault(2, page: 3, witness: "dax_iomap_fault")
        $0.error(.dquot)
      }
    ) { $0.error(.io) },
    CorpusEntry("fault-sigbus", "H7a", hugetlb(2)) { $0.operation.mappings[0].file?.size = 0 },
    CorpusEntry(
      "fault-sigbus", "H7a",
      witnessed(on: .v612, .fsdax, 2, by: "dax_pte_fault_done", "dax_iomap_fault")
        .changed { $0.error(.io) }
    ) { $0.error(.nospc) },
    CorpusEntry(
      "fault-sigbus", "P12",
      Scene.pin(.fault).changed {
        $0.mapFile("hugetlbfs", path: "/anon_hugepage")
        $0.fault(2, page: 0, witness: "hugetlb_fault")
      }
    ) { $0.operation.mappings[0].found = false },
    CorpusEntry("fault-hwpoison", "H7b", hugetlb(0x1_0020)) { $0.operation.faults[0].result = 2 },
    CorpusEntry(
      "fault-hwpoison", "H7b",
      witnessed(on: .v612, .fsdax, 0x10, by: "dax_pte_fault_done", "dax_iomap_fault")
    ) {
      $0.operation.faults[0].result = 2
      $0.operation.faults[1].result = 2
    },
    CorpusEntry(
      "fault-hwpoison", "P12",
      stopped(entry: Scene.swap(27, 5)).changed {
        $0.traits.pageTables.swapTypes.hwpoison = 27
      }
    ) { $0.operation.entries[0].values[3] = 0 },
    CorpusEntry(
      "fault-out-of-memory", "H7c", witnessed(on: .v612, .anonymous, 1, by: "handle_mm_fault")
    ) { $0.operation.faults[0].result = 0x40 },
    CorpusEntry("fault-out-of-memory", "H7c", faulted(on: .v73, .anonymous, .nomem)) {
      $0.operation.walks[0].result = -14
    },
    CorpusEntry(
      "fault-out-of-memory", "P12",
      Scene.pin(.nomem).changed { $0.fault(1, page: 3, witness: "handle_mm_fault") }
    ) { $0.operation.faults = [] },
    CorpusEntry("fault-out-of-memory", "P12", .inferred, stopped(.nomem)) {
      $0.operation.umems = []
    },
    CorpusEntry(
      "fault-sigsegv", "H7d", witnessed(on: .v618, .anonymous, 0x40, by: "handle_mm_fault")
    ) { $0.operation.faults[0].result = 1 },
    CorpusEntry(
      "fault-sigsegv", "H7d",
      faulted(on: .v618, .anonymous, entry: Scene.swap(31, 4))
    ) {
      $0.operation.entries[0].values[1] = Scene.swap(31, 1)
      $0.operation.levels[0].pte = Scene.swap(31, 1)
    },
    CorpusEntry(
      "fault-sigsegv", "P10", .inferred,
      Scene.pin(.fault).changed {
        $0.map(.anonymous)
        $0.operation.mappings[0].vmFlags |= 3 << 32
      }
    ) { $0.operation.mappings[0].vmFlags &= (1 << 32) - 1 },
    CorpusEntry(
      "fault-userfaultfd", "H7e",
      witnessed(on: .v612, .anonymous, 2, by: "handle_userfault").changed {
        $0.operation.mappings[0].vmFlags |= VMAFlags.uffdMissing.rawValue
        $0.operation.faults[0].faultFlags = 0x80
      }
    ) {
      $0.removeFlags(.uffdMissing)
      $0.operation.faults[0].witness = "handle_mm_fault"
    },
    CorpusEntry(
      "fault-userfaultfd", "H7e", .inferred,
      faulted(on: .v61, .anonymous).changed {
        $0.operation.mappings[0].vmFlags |= VMAFlags.uffdMissing.rawValue
      }
    ) { $0.removeFlags(.uffdMissing) },
    CorpusEntry(
      "fault-userfaultfd", "P12",
      Scene.pin(.fault, on: .v73).changed {
        $0.map(.anonymous, [.read, .write, .uffdMissing])
        $0.fault(2, page: 0, witness: "handle_userfault")
        $0.operation.faults[0].faultFlags = 0x85
        $0.fault(2, page: 0, witness: "handle_mm_fault")
      }
    ) { $0.operation.faults.removeFirst() },
  ]
}
