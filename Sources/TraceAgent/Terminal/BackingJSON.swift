// SPDX-License-Identifier: Apache-2.0

import Model

/// What stands behind a mapping, as JSON: only what was read.
enum BackingJSON {
  static func object(_ backing: BackingEvidence) -> JSON? { fields(backing).orNil }

  /// With where it was read: one of all that was recorded.
  static func evidence(_ backing: BackingEvidence) -> JSON? {
    var object = JSONObject()
    object.add("function", backing.function)
    if backing.address != 0 { object.add("address", hex: backing.address) }
    object.add("facts", fields(backing).orNil)
    return .object(object)
  }

  private static func fields(_ backing: BackingEvidence) -> JSONObject {
    var object = JSONObject()
    object.add("writes", backing.writes.map(writes))
    object.add("blocks", backing.blocks.map(blocks))
    object.add("huge_pages", backing.pool.map(pool))
    object.add("mount", backing.subpool.map(subpool))
    object.add("group", backing.group.map(group))
    object.add("group_reserved", backing.groupReserved.map(group))
    return object
  }

  private static func writes(_ writes: BackingEvidence.Writes) -> JSON {
    var object = JSONObject()
    object.add("page_mkwrite", writes.pageMkwrite)
    object.add("pfn_mkwrite", writes.pfnMkwrite)
    object.add("writeback", writes.canWriteBack)
    return .object(object)
  }

  /// Pages of 4096 bytes.
  private static func blocks(_ blocks: BackingEvidence.Blocks) -> JSON {
    var object = JSONObject()
    if blocks.max != 0 { object.add("max", number: blocks.max) }
    object.add("used", number: blocks.used)
    return .object(object)
  }

  private static func pool(_ pool: BackingEvidence.Pool) -> JSON {
    var object = JSONObject()
    object.add("size", number: pool.pageSize)
    object.add("total", number: pool.total)
    object.add("free", number: pool.free)
    object.add("reserved", number: pool.reserved)
    object.add("surplus", number: pool.surplus)
    object.add("overcommit", number: pool.overcommit)
    return .object(object)
  }

  /// Of a hugetlbfs mount, huge pages; no limit, no maximum.
  private static func subpool(_ mount: BackingEvidence.Subpool) -> JSON {
    var object = JSONObject()
    if mount.max >= 0 { object.add("max", .signed(mount.max)) }
    object.add("used", .signed(mount.used))
    return .object(object)
  }

  /// Bytes.
  private static func group(_ group: BackingEvidence.Group) -> JSON {
    var object = JSONObject()
    object.add("number", number: group.number)
    object.add("usage", number: group.usage << 12)
    if group.max < 1 << 51 - 1 { object.add("max", number: group.max << 12) }
    return .object(object)
  }
}
