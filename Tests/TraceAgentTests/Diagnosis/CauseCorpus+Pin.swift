// SPDX-License-Identifier: Apache-2.0

import Model

// What a long-term pin and ib_umem_get() refuse.
extension CorpusEntry {
  private static func pin(
    _ errno: Errno, on kernel: Scene.Kernel = .v612, access: UInt32 = 1,
    _ change: (inout Scene) -> Void
  ) -> Scene {
    Scene.pin(errno, on: kernel, access: access).changed(change)
  }

  static let pinEntries: [CorpusEntry] = [
    CorpusEntry("mapping-missing", "P6", pin(.fault) { $0.gap(3) }) { $0.operation.mappings = [] },
    CorpusEntry(
      "mapping-device", "P5", pin(.fault) { $0.map(.driver, [.read, .write, .io, .pfnMap]) }
    ) { $0.removeFlags([.io, .pfnMap]) },
    CorpusEntry(
      "mapping-not-readable", "P7", pin(.fault, access: 4) { $0.map(.anonymous, .mayWrite) }
    ) { $0.operation.mappings[0].vmFlags |= VMAFlags.read.rawValue },
    CorpusEntry("mapping-not-writable", "P7", pin(.fault) { $0.map(.tmpfs, .read) }) {
      $0.operation.layers[0].arguments[3] = 4
    },
    CorpusEntry(
      "mapping-not-writable", "P7", pin(.fault, on: .v61, access: 4) { $0.map(.tmpfs, .read) }
    ) { $0.traits.pinsForWriteAlways = false },
    CorpusEntry(
      "pte-special", "P11",
      pin(.exist) {
        $0.map(.driver, [.read, .write, .mixedMap])
        $0.levels(0, pmd: Scene.table, pte: Scene.special)
      }
    ) { $0.operation.levels[0].pte = Scene.plain },
    CorpusEntry("pin-fsdax", "P4", pin(.opnotsupp, on: .v73) { $0.map(.fsdax) }) {
      $0.operation.mappings[0].isFSDAX = false
    },
    CorpusEntry("pin-file-backed", "P8", pin(.fault) { $0.map(.disk) }) {
      $0.traits.refusesFilePins = false
    },
    CorpusEntry(
      "pin-secretmem", "P9", pin(.fault) { $0.mapFile("secretmem", path: "/secretmem") }
    ) { $0.operation.mappings[0].file?.filesystem = "tmpfs" },
    CorpusEntry(
      "pin-memlock-limit", "P3",
      Scene.pin(.nomem, pages: 16, limit: 65536, pinned: 1).changed {
        $0.operation.umems[0].mayLock = false
      }
    ) { $0.operation.umems[0].pinnedPages = 0 },
    CorpusEntry("pin-memlock-forbidden", "P1", Scene.pin(.perm, limit: 0)) {
      $0.operation.umems[0].memlockLimit = 4096
    },
    CorpusEntry(
      "pin-migration-failed", "P13",
      pin(.nomem) {
        $0.layer("migrate_pages", 3)
        $0.operation.layers.reverse()
      }
    ) { $0.operation.layers.removeFirst() },
    CorpusEntry(
      "pin-peer-memory", "P14",
      pin(.remoteio) {
        $0.mapFile("sysfs", path: "/devices/pci0000:00/0000:00:05.0/p2pmem/allocate")
      }
    ) {
      $0.operation.layers[0].result = -14
    },
    CorpusEntry(
      "pin-peer-memory", "P5",
      pin(.fault) {
        $0.mapFile(
          "devtmpfs", path: "/dev/dri/card0", mode: 0o020660,
          flags: [.read, .write, .io, .pfnMap])
      }
    ) { $0.operation.mappings[0].file?.path = "/dev/mem" },
    // As recorded of a dumb buffer of bochs-display.
    CorpusEntry(
      "pin-peer-memory", "P5",
      pin(.fault) {
        $0.mapFile("drm", path: "/dev/dri/card0", mode: 0o600, flags: [.read, .write, .pfnMap])
      }
    ) {
      $0.operation.mappings[0].file?.filesystem = "devtmpfs"
      $0.operation.mappings[0].file?.path = "/dev/mem"
    },
    CorpusEntry("dma-mapping-failed", "P15", Scene.pin(.io)) {
      $0.operation.layers[0].result = -12
    },
    CorpusEntry("dma-unsupported", "P17", .inferred, Scene.pin(.opnotsupp, on: .v73)) {
      $0.map(.fsdax)
    },
    CorpusEntry("length-invalid", "P2", Scene.pin(.inval, pages: 0)) {
      $0.operation.layers[0].arguments[2] = 1
    },
    CorpusEntry("odp-unsupported", "P16", Scene.pin(.opnotsupp, access: 0x41)) {
      $0.operation.mr.access = 1
      $0.operation.layers[0].arguments[3] = 1
    },
  ]
}
