// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension EventFields {
  func backing(_ record: BackingRecord, _ sink: inout some FieldSink) {
    let facts = record.facts
    func known<Value>(_ bit: UInt32, _ value: Value) -> Value? {
      facts.has & bit != 0 ? value : nil
    }
    func flag(_ bit: UInt32, _ known: UInt32) -> Bool? {
      facts.has & known != 0 ? facts.flags & bit != 0 : nil
    }
    let path = known(MRT_BACKING_HAS_PATH, record.filePath)
    sink.hex("address", facts.address == 0 ? nil : facts.address)
    sink.text(
      "device",
      known(MRT_BACKING_HAS_DEVICE, "\(facts.device >> 20):\(facts.device & 0xf_ffff)"))
    sink.flag("page_mkwrite", flag(MRT_BACKING_PAGE_MKWRITE, MRT_BACKING_HAS_WRITES))
    sink.flag("pfn_mkwrite", flag(MRT_BACKING_PFN_MKWRITE, MRT_BACKING_HAS_WRITES))
    sink.flag("writeback", flag(MRT_BACKING_WRITEBACK, MRT_BACKING_HAS_WRITES))
    sink.number("blocks_max", known(MRT_BACKING_HAS_BLOCKS, facts.blocks_max))
    sink.number("blocks_used", known(MRT_BACKING_HAS_BLOCKS, facts.blocks_used))
    sink.number("huge_size", known(MRT_BACKING_HAS_POOL, facts.huge_size))
    sink.number("huge_total", known(MRT_BACKING_HAS_POOL, facts.huge_total))
    sink.number("huge_free", known(MRT_BACKING_HAS_POOL, facts.huge_free))
    sink.number("huge_reserved", known(MRT_BACKING_HAS_POOL, facts.huge_reserved))
    sink.number("huge_surplus", known(MRT_BACKING_HAS_POOL, facts.huge_surplus))
    sink.number("huge_overcommit", known(MRT_BACKING_HAS_POOL, facts.huge_overcommit))
    sink.flag("reserve_owner", flag(MRT_BACKING_RESERVE_OWNER, MRT_BACKING_HAS_POOL))
    sink.flag("reserve_unmapped", flag(MRT_BACKING_RESERVE_UNMAPPED, MRT_BACKING_HAS_POOL))
    sink.signed("subpool_max", known(MRT_BACKING_HAS_SUBPOOL, facts.subpool_max))
    sink.signed("subpool_used", known(MRT_BACKING_HAS_SUBPOOL, facts.subpool_used))
    sink.number("group", known(MRT_BACKING_HAS_GROUP, facts.group))
    sink.number("group_usage", known(MRT_BACKING_HAS_GROUP, facts.group_usage))
    sink.number("group_max", known(MRT_BACKING_HAS_GROUP, facts.group_max))
    sink.number(
      "group_reserved", known(MRT_BACKING_HAS_GROUP_RESERVED, facts.group_reserved))
    sink.number(
      "group_reserved_usage", known(MRT_BACKING_HAS_GROUP_RESERVED, facts.group_reserved_usage))
    sink.number(
      "group_reserved_max", known(MRT_BACKING_HAS_GROUP_RESERVED, facts.group_reserved_max))
    sink.text("path", path?.text)
    sink.flag("path_cut", path?.isCut)
  }
}
