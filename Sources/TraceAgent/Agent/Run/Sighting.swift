// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model
import Recording

/// What there was to be seen while a run went on: RDMA devices, and modules that were not watched for a while.
struct Sighting {
  /// All that were there at any time.
  private(set) var devices: [Sight.Device] = []
  private(set) var unwatched: [RecordingEnvironment.UnwatchedModule] = []
  private var names: Set<String> = []
  private static let limit = 1000

  init() { _ = look() }

  /// Each second. True: devices have come.
  mutating func look() -> Bool {
    let now = Set(Directory.names(in: "/sys/class/infiniband"))
    guard now != names else { return false }
    names = now
    let known = Set(devices)
    let come = RDMADevice.present().filter { !known.contains($0) }
    guard devices.count < Self.limit else { return false }
    devices += come
    return !come.isEmpty
  }

  mutating func add(_ changes: ModuleChanges) {
    for came in changes.came where unwatched.count < Self.limit {
      guard let from = came.fromNs else { continue }
      unwatched.append(
        .init(module: came.module, fromNs: from, toNs: came.toNs, isFirst: came.isFirst))
    }
  }
}

extension Sight {
  /// What the user should know before anything else.
  var warnings: [String] {
    var warnings = blindness
    if waits {
      warnings.append(
        "the RDMA core (ib_uverbs) is not loaded: no operation is possible yet, and its functions are hooked when it comes"
      )
    }
    return warnings
  }
}
