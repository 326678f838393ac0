// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension BackingEvidence {
  init(_ record: BackingRecord, hooks: HookNames) {
    let facts = record.facts
    func has(_ bit: UInt32) -> Bool { facts.has & bit != 0 }
    func isSet(_ bit: UInt32) -> Bool { facts.flags & bit != 0 }
    self.init(
      function: hooks[record.header.hook], timeNs: record.header.time_ns, address: facts.address,
      identity: facts.identity)
    if has(MRT_BACKING_HAS_DEVICE) { device = facts.device }
    if has(MRT_BACKING_HAS_WRITES) {
      writes = Writes(
        pageMkwrite: isSet(MRT_BACKING_PAGE_MKWRITE), pfnMkwrite: isSet(MRT_BACKING_PFN_MKWRITE),
        canWriteBack: isSet(MRT_BACKING_WRITEBACK))
    }
    if has(MRT_BACKING_HAS_BLOCKS) {
      blocks = Blocks(max: facts.blocks_max, used: facts.blocks_used)
    }
    if has(MRT_BACKING_HAS_POOL) {
      var pool = Pool(
        pageSize: facts.huge_size, total: facts.huge_total, free: facts.huge_free,
        reserved: facts.huge_reserved, surplus: facts.huge_surplus,
        overcommit: facts.huge_overcommit)
      pool.isReserveOwner = isSet(MRT_BACKING_RESERVE_OWNER)
      pool.wasUnmapped = isSet(MRT_BACKING_RESERVE_UNMAPPED)
      self.pool = pool
    }
    if has(MRT_BACKING_HAS_SUBPOOL) {
      subpool = Subpool(max: facts.subpool_max, used: facts.subpool_used)
    }
    if has(MRT_BACKING_HAS_GROUP) {
      group = Group(number: facts.group, usage: facts.group_usage, max: facts.group_max)
    }
    if has(MRT_BACKING_HAS_GROUP_RESERVED) {
      groupReserved = Group(
        number: facts.group_reserved, usage: facts.group_reserved_usage,
        max: facts.group_reserved_max)
    }
    if has(MRT_BACKING_HAS_PATH) {
      let file = record.filePath
      path = Path(text: file.text, isCut: file.isCut)
    }
  }
}
