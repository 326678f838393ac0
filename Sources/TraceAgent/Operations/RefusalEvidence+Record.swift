// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension FolioEvidence.Zone {
  package init?(_ zone: UInt32) {
    switch mrt_zone(rawValue: zone) {
    case MRT_ZONE_DMA: self = .dma
    case MRT_ZONE_DMA32: self = .dma32
    case MRT_ZONE_NORMAL: self = .normal
    case MRT_ZONE_MOVABLE: self = .movable
    case MRT_ZONE_DEVICE: self = .device
    default: return nil
    }
  }
}

extension FolioEvidence {
  init(_ record: mrt_folio) {
    self.init(
      identity: record.folio, index: record.index, references: Int(record.references),
      state: State(rawValue: record.state))
    if record.has & MRT_FOLIO_HAS_ADDRESS != 0 {
      address = record.address
      frame = record.pfn
    }
    if state.contains(.file) { inode = record.inode }
    if record.has & MRT_FOLIO_HAS_MAPPINGS != 0 { mappings = Int(record.mappings) }
    if record.has & MRT_FOLIO_HAS_PINS != 0 { pins = Int(record.pins) }
    if record.has & MRT_FOLIO_HAS_PAGES != 0 { pages = UInt64(record.pages) }
    if record.has & MRT_FOLIO_HAS_ZONE != 0 {
      zone = Zone(record.zone)
      node = record.node
    }
  }
}

extension RefusalEvidence.What {
  package init?(_ what: UInt32) {
    switch mrt_refusal_what(rawValue: what) {
    case MRT_REFUSAL_RDMA_CGROUP: self = .rdmaCgroup
    case MRT_REFUSAL_DEVICE_REMOVED: self = .deviceRemoved
    case MRT_REFUSAL_KILLED: self = .killed
    default: return nil
    }
  }
}

extension RefusalEvidence {
  /// nil for a refusal of a later version.
  init?(_ record: mrt_refusal) {
    guard let what = What(record.what) else { return nil }
    self.init(what, killer: what == .killed ? Self.killer(in: record) : .unknown)
    if record.cgroup != 0 {
      cgroup = record.cgroup
      usage = record.usage
      limit = record.limit
    }
    if record.flags & MRT_KILLED_OOM_SEEN != 0 { killedNs = record.killed_ns }
    let name = CText.string(in: record.name)
    if !name.isEmpty { device = name }
  }

  private static func killer(in record: mrt_refusal) -> Killer {
    let has = { record.flags & $0 != 0 }
    if has(MRT_KILLED_OOM) {
      if has(MRT_KILLED_OOM_CGROUP) { return .memoryCgroup }
      return has(MRT_KILLED_OOM_SEEN) ? .host : .outOfMemory
    }
    if has(MRT_KILLED_EXEC) { return .exec }
    guard has(MRT_KILLED_SIGNAL) else { return .unknown }
    // As wait() has it; 128: a core is dumped.
    let signal = Int(record.exit_code & 0x7f)
    return signal == 0 ? .exit : .signal(signal)
  }
}

extension ForkedEvidence {
  init(_ record: mrt_forked) {
    self.init(
      address: record.address, start: record.start, end: record.end, vmFlags: record.vm_flags,
      forkedNs: record.forked_ns, pid: Int(record.pid), comm: CText.string(in: record.comm))
    generation = Int(record.generation)
  }
}
