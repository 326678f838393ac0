// SPDX-License-Identifier: Apache-2.0

import Model

/// What stood behind mappings, for the reader to judge.
enum BackingText {
  static func append(_ operation: Operation, indent: Int, to block: inout TextBlock) {
    for backing in operation.backings {
      let facts = facts(backing)
      guard !facts.isEmpty else { continue }
      block.field(
        "backing", indent: indent,
        [[.word(backing.function + ":")] + Span.commas(facts.map { [Span($0)] })])
    }
  }

  static func facts(_ backing: BackingEvidence) -> [String] {
    var facts: [String] = []
    if let writes = backing.writes {
      let told = [
        writes.pageMkwrite ? "page_mkwrite" : nil, writes.pfnMkwrite ? "pfn_mkwrite" : nil,
        writes.canWriteBack ? "writeback" : nil,
      ].compactMap { $0 }
      facts.append(
        told.isEmpty
          ? "writes are not tracked" : "writes are tracked (\(told.joined(separator: ", ")))")
    }
    if let blocks = backing.blocks {
      facts.append(
        blocks.max == 0
          ? "\(blocks.used) blocks used, no limit" : "\(blocks.used) of \(blocks.max) blocks used")
    }
    if let pool = backing.pool {
      facts.append(
        "huge pages of \(Quantity.bytes(pool.pageSize)): \(pool.total) in all, \(pool.free) free, "
          + "\(pool.reserved) reserved, \(pool.surplus) surplus of at most \(pool.overcommit)")
    }
    if let mount = backing.subpool, mount.max >= 0 {
      facts.append("the mount: \(mount.used) of \(mount.max) used")
    }
    if backing.address == 0, backing.blocks == nil { facts.append("the file system had no block") }
    return facts
  }
}
