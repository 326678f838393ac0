// SPDX-License-Identifier: Apache-2.0

import Model

// What stands behind a mapping decides: a full file system, writes that are tracked, huge pages.
extension CorpusEntry {
  private static let tmpfs = "shmem_unused_huge_shrink"
  private static let ext4 = "ext4_should_retry_alloc"
  private static let device: UInt32 = 259 << 20

  private static func fullTmpfs(on kernel: Scene.Kernel, used: UInt64 = 8) -> Scene {
    faulted(on: kernel, .tmpfs).changed {
      $0.refused(by: tmpfs, used: used)
      $0.tmpfs(used: used)
    }
  }

  static let backingEntries: [CorpusEntry] = [
    CorpusEntry("fault-no-space", "H7a", fullTmpfs(on: .v73)) {
      $0.operation.backings.removeFirst()
    },
    CorpusEntry("fault-no-space", "H7a", fullTmpfs(on: .v61)) {
      $0.operation.mappings[0].file?.size = 3 * 4096
    },
    // Another tmpfs was full.
    CorpusEntry("fault-no-space", "H7a", fullTmpfs(on: .v612)) {
      $0.operation.backings[0].identity = 6
    },
    // Its code was seen as well.
    CorpusEntry(
      "fault-no-space", "H7a",
      witnessed(on: .v72, .tmpfs, 2, by: "handle_mm_fault").changed {
        $0.refused(by: tmpfs, used: 8)
        $0.tmpfs(used: 8)
      }
    ) { $0.operation.faults[0].result = 0x10 },
    // A quota, or the commit limit.
    CorpusEntry("fault-no-space", "H7a", .inferred, fullTmpfs(on: .v72, used: 5)) {
      $0.operation.backings.removeFirst()
    },
    CorpusEntry(
      "fault-no-space", "P12",
      stopped(on: .v510).changed {
        $0.map(.tmpfs)
        $0.refused(by: tmpfs, used: 8)
        $0.tmpfs(used: 8, page: 0)
      }
    ) {
      $0.traits.pageTables.swapTypes.hwpoison = 27
      $0.operation.entries[0].values[3] = Scene.swap(27, 5)
    },
    CorpusEntry(
      "fault-no-space", "H7a",
      faulted(on: .v73, .disk).changed { $0.refused(by: ext4, device: device) }
    ) { $0.operation.backings[0].device = 8 << 20 },
    CorpusEntry(
      "fault-no-space", "P12",
      stopped(on: .v61).changed {
        $0.map(.disk)
        $0.refused(by: ext4, device: device)
      }
    ) { $0.operation.backings = [] },
    CorpusEntry(
      "fault-sigbus", "H7a",
      witnessed(on: .v72, .tmpfs, 2, by: "handle_mm_fault").changed { $0.tmpfs(used: 5) }
    ) { $0.refused(by: tmpfs, used: 8) },
    CorpusEntry(
      "fault-sigbus", "H7a", .inferred, witnessed(on: .v72, .disk, 2, by: "handle_mm_fault")
    ) { $0.refused(by: ext4, device: device) },
    CorpusEntry("fault-sigbus", "H7a", hugetlb(2).changed { $0.hugePages(Scene.pool) }) {
      $0.operation.faults[0].result = 0x1_0020
    },
    // What the kernel asks, not what the file system is called.
    CorpusEntry(
      "pin-file-backed", "P8",
      Scene.pin(.fault).changed {
        $0.mapFile("vfat", path: "/mnt/usb/scratch")
        $0.backing(page: 0) {
          $0.writes = .init(pageMkwrite: true, pfnMkwrite: false, canWriteBack: true)
        }
      }
    ) {
      $0.operation.backings[0].writes = .init(
        pageMkwrite: false, pfnMkwrite: false, canWriteBack: false)
    },
    CorpusEntry(
      "pin-file-backed", "P8",
      Scene.pin(.fault, on: .v73).changed {
        $0.mapFile("lustre", path: "/lustre/scratch")
        $0.backing(page: 0) {
          $0.writes = .init(pageMkwrite: false, pfnMkwrite: false, canWriteBack: true)
        }
      }
    ) { $0.removeFlags(.shared) },
    CorpusEntry(
      "pin-file-backed", "P8",
      Scene.pin(.fault, on: .v72).changed {
        $0.mapFile("devtmpfs", path: "/dev/loop0", mode: 0o060660)
        $0.backing(page: 0) {
          $0.writes = .init(pageMkwrite: true, pfnMkwrite: false, canWriteBack: true)
        }
      }
    ) { $0.traits.refusesFilePins = false },
    // The name alone would say so; the kernel's question says no.
    CorpusEntry(
      "pin-file-backed", "P8",
      Scene.pin(.fault).changed {
        $0.map(.disk)
        $0.backing(page: 0) {
          $0.writes = .init(pageMkwrite: false, pfnMkwrite: true, canWriteBack: false)
        }
      }
    ) { $0.operation.backings[0].writes?.pfnMkwrite = false },
  ]
}
