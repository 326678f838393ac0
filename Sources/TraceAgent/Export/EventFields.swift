// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// Every record of bpf/events.h, field by field: with names where they have them, and without what
/// was not read. Kinds that need no more than events.h says of them are written by it alone.
struct EventFields {
  let subject: ExportSubject

  func write(_ event: Event, to sink: inout some FieldSink) {
    sink.constant("type", "event")
    sink.constant("kind", event.kindName)
    sink.text("recording", subject.isAlone ? nil : subject.name)
    let header = event.header
    sink.signed("time_ns", subject.wallTime(header.time_ns))
    sink.number("monotonic_ns", header.time_ns)
    sink.number("operation", header.operation == 0 ? nil : header.operation)
    // What the agent tells is of no task.
    sink.number("pid", header.pid == 0 ? nil : header.pid)
    sink.number("tid", header.tid == 0 ? nil : header.tid)
    sink.number("cpu", header.cpu)
    sink.text(
      "function", header.hook == MRT_HOOK_NONE.rawValue ? nil : subject.hooks[header.hook])
    switch event {
    case .operation(let record): operation(record, &sink)
    case .umem(let record): umem(record, &sink)
    case .layer(let record): layer(record, &sink)
    case .range(let record): range(record, &sink)
    case .walk(let record): walk(record, &sink)
    case .levels(let record): levels(record, &sink)
    case .entries(let record): entries(record, &sink)
    case .mapping(let record): mapping(record, &sink)
    case .fault(let record): fault(record, &sink)
    case .stack(let record):
      sink.text("what", RecordEnumeration.stackWhat.name(of: record.what))
      sink.hexes("addresses", record.addresses)
    case .pages(let record): pages(record, &sink)
    case .owner(let record): owner(record, &sink)
    case .omitted(let record):
      sink.text("what", RecordEnumeration.operationKind.name(of: record.kind))
      sink.signed("result", record.result)
      sink.text("errno", Self.errno(record.result))
    case .folio(let record): folio(record, &sink)
    case .refusal(let record): refusal(record, &sink)
    case .forked(let record): forked(record, &sink)
    case .backing(let record): backing(record, &sink)
    case .unknown(let header): sink.number("number", header.kind)
    // counter, account, shed, symbol, cgroup, and kinds that are not given a meaning above
    default: described(event, &sink)
    }
  }

  private static func errno(_ result: Int64) -> String? { Errno(result: result)?.description }

  private func operation(_ record: mrt_operation, _ sink: inout some FieldSink) {
    func known<Value>(_ bit: UInt32, _ value: Value) -> Value? {
      record.has & bit != 0 ? value : nil
    }
    sink.text("what", RecordEnumeration.operationKind.name(of: record.kind))
    sink.number("start_monotonic_ns", known(MRT_HAS_START, record.start_ns))
    sink.signed("result", record.result)
    sink.text("errno", Self.errno(record.result))
    sink.hex("umem", record.umem == 0 ? nil : record.umem)
    sink.hex("mr_address", known(MRT_HAS_MR, record.mr_address))
    sink.number("mr_length", known(MRT_HAS_MR, record.mr_length))
    sink.hex("mr_iova", known(MRT_HAS_IOVA, record.mr_iova))
    sink.texts("access", known(MRT_HAS_ACCESS, AccessFlags.names(record.access)))
    sink.hex("device_caps", known(MRT_HAS_CAPS, record.device_caps))
    sink.hex("driver_ops", known(MRT_HAS_DRIVER_OPS, record.driver_ops))
    sink.number("advice", known(MRT_HAS_ADVICE, record.advice))
    sink.hex("advise_flags", known(MRT_HAS_ADVICE, record.advise_flags))
    sink.number("num_sge", known(MRT_HAS_ADVICE, record.num_sge))
    sink.hex("request_address", known(MRT_HAS_REQUEST, record.request_address))
    sink.number("request_length", known(MRT_HAS_REQUEST, record.request_length))
    sink.hex("lkey", known(MRT_HAS_LKEY, record.lkey))
    sink.number("owner_pid", known(MRT_HAS_OWNER, record.owner_pid))
    sink.text("owner_comm", known(MRT_HAS_OWNER_COMM, CText.string(in: record.owner_comm)))
    sink.text("comm", CText.string(in: record.comm))
    sink.text("device", known(MRT_HAS_DEVICE, CText.string(in: record.device)))
    sink.number("lost", record.lost)
    sink.number("repeats_after_ns", known(MRT_HAS_REPEATED, record.repeats_ns))
  }

  private func owner(_ record: mrt_owner, _ sink: inout some FieldSink) {
    let levels = min(Int(record.levels), Int(MRT_PID_LEVELS))
    sink.number("owner_pid", record.owner_pid)
    sink.number("owner_tid", record.owner_tid)
    sink.number("start_boottime_ns", record.start_ns)
    sink.number("cgroup", record.cgroup == 0 ? nil : record.cgroup)
    sink.number("pid_namespace", record.pid_namespace == 0 ? nil : record.pid_namespace)
    sink.numbers(
      "pids",
      withUnsafeBytes(of: record.pids) { bytes in
        (0..<levels).map {
          UInt64(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
        }
      })
  }

  private func umem(_ record: mrt_umem, _ sink: inout some FieldSink) {
    let isRead = record.flags & MRT_UMEM_HAS_FIELDS != 0
    let hasLimit = record.flags & MRT_UMEM_HAS_MEMLOCK != 0
    sink.hex("umem", record.umem)
    sink.hex("address", isRead ? record.address : nil)
    sink.number("length", isRead ? record.length : nil)
    sink.hex("iova", isRead ? record.iova : nil)
    sink.flag("writable", isRead ? record.flags & MRT_UMEM_WRITABLE != 0 : nil)
    sink.flag("odp", isRead ? record.flags & MRT_UMEM_ODP != 0 : nil)
    sink.number(
      "page_shift", record.flags & MRT_UMEM_HAS_PAGE_SHIFT != 0 ? record.page_shift : nil)
    sink.number("pinned_pages", hasLimit ? record.pinned_vm : nil)
    sink.number("memlock_limit", hasLimit ? record.memlock_limit : nil)
    sink.flag("may_lock", hasLimit ? record.flags & MRT_UMEM_MAY_LOCK != 0 : nil)
    sink.number("owner_pid", record.owner_pid == 0 ? nil : record.owner_pid)
    sink.texts("access", record.access == 0 ? nil : AccessFlags.names(record.access))
  }

  private func layer(_ record: mrt_layer, _ sink: inout some FieldSink) {
    sink.signed("result", record.result)
    sink.text("errno", Self.errno(record.result))
    sink.hexes(
      "arguments",
      withUnsafeBytes(of: record.arguments) { Array($0.bindMemory(to: UInt64.self)) })
    sink.text("rung", RecordEnumeration.rung.name(of: record.rung))
  }

  private func range(_ record: mrt_range, _ sink: inout some FieldSink) {
    sink.signed("result", record.result)
    sink.text("errno", Self.errno(record.result))
    sink.hex("start", record.start)
    sink.hex("end", record.end)
    sink.hex("default_flags", record.default_flags)
    sink.hex("pfn_flags_mask", record.pfn_flags_mask)
    sink.hex("mm", record.mm)
    sink.text("rung", RecordEnumeration.rung.name(of: record.rung))
    sink.hex("flags", record.flags)
  }

  private func walk(_ record: mrt_walk, _ sink: inout some FieldSink) {
    let hasPending = record.flags & MRT_WALK_HAS_PENDING != 0
    let hasLast = hasPending || record.flags & MRT_WALK_HAS_LAST != 0
    sink.signed("result", record.result)
    sink.text("errno", Self.errno(record.result))
    sink.hex("start", record.start)
    sink.hex("end", record.end)
    sink.hex("last", hasLast ? record.last : nil)
    sink.hex("pending_end", hasPending ? record.pending_end : nil)
    sink.number("required_fault", hasPending ? record.required_fault : nil)
    sink.hex(
      "default_flags", record.flags & MRT_WALK_HAS_DEFAULT != 0 ? record.default_flags : nil)
    sink.flag("vma", record.flags & MRT_WALK_NO_VMA == 0)
    sink.hex("entry", record.entry)
    sink.text("rung", RecordEnumeration.rung.name(of: record.rung))
  }
}
