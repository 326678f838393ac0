// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Operations

extension EventFields {
  func folio(_ record: mrt_folio, _ sink: inout some FieldSink) {
    func known<Value>(_ bit: UInt32, _ value: Value) -> Value? {
      record.has & bit != 0 ? value : nil
    }
    sink.hex("folio", record.folio)
    sink.hex("pfn", known(MRT_FOLIO_HAS_ADDRESS, record.pfn))
    sink.hex("address", known(MRT_FOLIO_HAS_ADDRESS, record.address))
    sink.hex("page_flags", record.page_flags)
    sink.number("index", record.index)
    sink.number("inode", record.state & MRT_FOLIO_FILE != 0 ? record.inode : nil)
    sink.signed("references", Int64(record.references))
    sink.signed("mappings", known(MRT_FOLIO_HAS_MAPPINGS, Int64(record.mappings)))
    sink.signed("pins", known(MRT_FOLIO_HAS_PINS, Int64(record.pins)))
    sink.number("pages", known(MRT_FOLIO_HAS_PAGES, record.pages))
    sink.text(
      "zone",
      known(MRT_FOLIO_HAS_ZONE, FolioEvidence.Zone(record.zone)?.rawValue ?? "\(record.zone)"))
    sink.number("node", known(MRT_FOLIO_HAS_ZONE, record.node))
    sink.texts("state", FolioEvidence.State(rawValue: record.state).names)
  }

  func refusal(_ record: mrt_refusal, _ sink: inout some FieldSink) {
    let name = CText.string(in: record.name)
    let isKilled = record.what == MRT_REFUSAL_KILLED.rawValue
    sink.text("what", RefusalEvidence.What(record.what)?.rawValue ?? "\(record.what)")
    sink.number("cgroup", record.cgroup == 0 ? nil : record.cgroup)
    sink.number("usage", record.limit == 0 ? nil : record.usage)
    sink.number("limit", record.limit == 0 ? nil : record.limit)
    sink.number("killed_monotonic_ns", record.killed_ns == 0 ? nil : record.killed_ns)
    sink.hex("flags", isKilled ? record.flags : nil)
    sink.number("exit_code", isKilled ? record.exit_code : nil)
    sink.text("device", name.isEmpty ? nil : name)
  }

  func forked(_ record: mrt_forked, _ sink: inout some FieldSink) {
    sink.hex("address", record.address)
    sink.hex("start", record.start)
    sink.hex("end", record.end)
    sink.hex("vm_flags", record.vm_flags)
    sink.texts("flags", VMAFlags.names(record.vm_flags, of: subject.kernel))
    sink.number("forked_monotonic_ns", record.forked_ns)
    sink.number("ancestor_pid", record.pid)
    sink.text("ancestor_comm", CText.string(in: record.comm))
    sink.number("generation", record.generation)
  }
}
