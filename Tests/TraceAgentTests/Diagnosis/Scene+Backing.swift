// SPDX-License-Identifier: Apache-2.0

import Model

// What stands behind the mappings of a scene.
extension Scene {
  /// Read with the mapping, by `function`; of the tmpfs 5.
  mutating func backing(
    _ function: String? = nil, page: UInt64 = 2, _ fill: (inout BackingEvidence) -> Void
  ) {
    let pin = operation.layers.first { $0.function.contains("ib_umem_get") }?.function
    var backing = BackingEvidence(
      function: function ?? pin ?? operation.walks.last?.function ?? "hmm_range_fault", timeNs: 9,
      address: Scene.page(page), identity: 5)
    fill(&backing)
    operation.backings.append(backing)
  }

  /// A tmpfs of 8 pages.
  mutating func tmpfs(used: UInt64, page: UInt64 = 2) {
    backing(page: page) { $0.blocks = .init(max: 8, used: used) }
  }

  /// A file system had no block.
  mutating func refused(by function: String, used: UInt64? = nil, device: UInt32? = nil) {
    var refused = BackingEvidence(function: function, timeNs: 8, address: 0, identity: 5)
    refused.blocks = used.map { .init(max: 8, used: $0) }
    refused.device = device
    operation.backings.append(refused)
  }

  static let pool = BackingEvidence.Pool(
    pageSize: 2 << 20, total: 4, free: 0, reserved: 0, surplus: 0, overcommit: 0)

  /// Of a mapping of huge pages, at its failed fault.
  mutating func hugePages(
    _ pool: BackingEvidence.Pool, _ fill: (inout BackingEvidence) -> Void = { _ in }
  ) {
    backing("hugetlb_fault", page: 0) {
      $0.pool = pool
      fill(&$0)
    }
  }
}
