// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

/// One record of bpf/events.h, decoded.
///
/// Records of fixed size are the imported C struct itself; those with a tail are Swift structs. A
/// kind has its case, the way to it from bytes and back, and its fields in this file; a test holds
/// all of them to events.h.
package enum Event: Sendable {
  /// An operation ended.
  case operation(mrt_operation)
  /// The umem an operation worked on.
  case umem(mrt_umem)
  /// A function between verb and HMM returned.
  case layer(mrt_layer)
  /// An HMM range fault returned.
  case range(mrt_range)
  /// A page-walk callback decided.
  case walk(mrt_walk)
  /// Page-table entries of one address, all levels.
  case levels(mrt_levels)
  case entries(EntriesRecord)
  case mapping(MappingRecord)
  /// A page fault failed.
  case fault(mrt_fault)
  case stack(StackRecord)
  /// One hook's totals.
  case counter(mrt_counter)
  case symbol(SymbolRecord)
  /// Pages walked, by page-table flags and outcome.
  case pages(mrt_pages)
  /// What became of every call of one hook's function.
  case account(mrt_account)
  /// The process that owns the memory of a failed operation.
  case owner(mrt_owner)
  /// An operation ended with an errno that was not asked for.
  case omitted(mrt_omitted)
  /// Made by the agent.
  case shed(mrt_shed)
  case cgroup(CgroupRecord)
  /// A page that could not be moved for a pin.
  case folio(mrt_folio)
  /// What refused an operation where no page did.
  case refusal(mrt_refusal)
  /// A mapping that a process did not get from the one that forked it.
  case forked(mrt_forked)
  /// What stands behind a mapping.
  case backing(BackingRecord)
  /// A kind this version does not know: only its header was read.
  case unknown(mrt_header)

  /// CLOCK_MONOTONIC, ns.
  package var timeNs: UInt64 { header.time_ns }
}

extension Event {
  /// A whole record, as long as its kind wants it, with `count` elements in its tail.
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    switch mrt_kind(rawValue: header.kind) {
    case MRT_KIND_OPERATION: self = .operation(record.load())
    case MRT_KIND_UMEM: self = .umem(record.load())
    case MRT_KIND_LAYER: self = .layer(record.load())
    case MRT_KIND_RANGE: self = .range(record.load())
    case MRT_KIND_WALK: self = .walk(record.load())
    case MRT_KIND_LEVELS: self = .levels(record.load())
    case MRT_KIND_ENTRIES: self = .entries(.init(record, header: header, count: count))
    case MRT_KIND_MAPPING: self = .mapping(.init(record, header: header, count: count))
    case MRT_KIND_FAULT: self = .fault(record.load())
    case MRT_KIND_STACK: self = .stack(.init(record, header: header, count: count))
    case MRT_KIND_COUNTER: self = .counter(record.load())
    case MRT_KIND_SYMBOL: self = .symbol(.init(record, header: header, count: count))
    case MRT_KIND_PAGES: self = .pages(record.load())
    case MRT_KIND_ACCOUNT: self = .account(record.load())
    case MRT_KIND_OWNER: self = .owner(record.load())
    case MRT_KIND_OMITTED: self = .omitted(record.load())
    case MRT_KIND_SHED: self = .shed(record.load())
    case MRT_KIND_CGROUP: self = .cgroup(.init(record, header: header, count: count))
    case MRT_KIND_FOLIO: self = .folio(record.load())
    case MRT_KIND_REFUSAL: self = .refusal(record.load())
    case MRT_KIND_FORKED: self = .forked(record.load())
    case MRT_KIND_BACKING: self = .backing(.init(record, header: header, count: count))
    default: self = .unknown(header)
    }
  }

  func visit<Visitor: EventVisitor>(_ visitor: Visitor) -> Visitor.Result {
    switch self {
    case .operation(let record): visitor.fixed(record, record.h, MRT_KIND_OPERATION)
    case .umem(let record): visitor.fixed(record, record.h, MRT_KIND_UMEM)
    case .layer(let record): visitor.fixed(record, record.h, MRT_KIND_LAYER)
    case .range(let record): visitor.fixed(record, record.h, MRT_KIND_RANGE)
    case .walk(let record): visitor.fixed(record, record.h, MRT_KIND_WALK)
    case .levels(let record): visitor.fixed(record, record.h, MRT_KIND_LEVELS)
    case .entries(let record): visitor.tailed(record, record.header, MRT_KIND_ENTRIES)
    case .mapping(let record): visitor.tailed(record, record.header, MRT_KIND_MAPPING)
    case .fault(let record): visitor.fixed(record, record.h, MRT_KIND_FAULT)
    case .stack(let record): visitor.tailed(record, record.header, MRT_KIND_STACK)
    case .counter(let record): visitor.fixed(record, record.h, MRT_KIND_COUNTER)
    case .symbol(let record): visitor.tailed(record, record.header, MRT_KIND_SYMBOL)
    case .pages(let record): visitor.fixed(record, record.h, MRT_KIND_PAGES)
    case .account(let record): visitor.fixed(record, record.h, MRT_KIND_ACCOUNT)
    case .owner(let record): visitor.fixed(record, record.h, MRT_KIND_OWNER)
    case .omitted(let record): visitor.fixed(record, record.h, MRT_KIND_OMITTED)
    case .shed(let record): visitor.fixed(record, record.h, MRT_KIND_SHED)
    case .cgroup(let record): visitor.tailed(record, record.header, MRT_KIND_CGROUP)
    case .folio(let record): visitor.fixed(record, record.h, MRT_KIND_FOLIO)
    case .refusal(let record): visitor.fixed(record, record.h, MRT_KIND_REFUSAL)
    case .forked(let record): visitor.fixed(record, record.h, MRT_KIND_FORKED)
    case .backing(let record): visitor.tailed(record, record.header, MRT_KIND_BACKING)
    case .unknown(let header): visitor.fixed(header, header, mrt_kind(rawValue: header.kind))
    }
  }
}

extension RecordKind {
  /// Every kind, in the order in which the schema of exports has them.
  package static let all: [RecordKind] = [
    RecordKind(
      MRT_KIND_OPERATION, "operation",
      [
        .u64("start_ns", key: "start_monotonic_ns"), .result("result"), .u64x("umem"),
        .u64x("mr_address"), .u64("mr_length"), .u64x("mr_iova"), .u64x("request_address"),
        .u64("request_length"), .named("kind", .operationKind), .u32x("has"),
        .flags("access", .accessFlag), .u32x("device_caps"), .u32x("driver_ops"),
        .named("advice", .advice), .u32x("advise_flags"), .u32("num_sge"), .u32x("lkey"),
        .u32("owner_pid"), .u32("lost"), .u32("repeats_ns"), .text("owner_comm", .times(16)),
        .text("comm", .times(16)), .text("device", .times(32)),
      ]),
    RecordKind(
      MRT_KIND_UMEM, "umem",
      [
        .u64x("umem"), .u64x("address"), .u64("length"), .u64x("iova"), .u64("pinned_vm"),
        .u64("memlock_limit"), .u32("page_shift"), .u32x("flags"), .u32("owner_pid"),
        .flags("access", .accessFlag),
      ]),
    RecordKind(
      MRT_KIND_LAYER, "layer",
      [
        .result("result"), .u64x("arguments", .times(6)), .named("rung", .rung), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_RANGE, "range",
      [
        .result("result"), .u64x("start"), .u64x("end"), .u64x("default_flags"),
        .u64x("pfn_flags_mask"), .u64x("mm"), .named("rung", .rung), .u32x("flags"),
      ]),
    RecordKind(
      MRT_KIND_WALK, "walk",
      [
        .result("result"), .u64x("start"), .u64x("end"), .u64x("last"), .u64x("pending_end"),
        .u64x("default_flags"), .u64x("entry"), .u32x("required_fault"), .u32x("flags"),
        .named("rung", .rung), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_LEVELS, "levels",
      [
        .u64x("address"), .u64x("pgd"), .u64x("p4d"), .u64x("pud"), .u64x("pmd"), .u64x("pte"),
        .u32x("read"), .u32("paging_levels"),
      ]),
    RecordKind(
      MRT_KIND_ENTRIES, "entries",
      [
        .u64x("address"), .named("what", .entriesWhat), .named("search", .entriesSearch),
        .reserved(), .u32("count"), .u64x("values", .counted(max: Int(MRT_ENTRIES_MAX))),
      ]),
    RecordKind(
      MRT_KIND_MAPPING, "mapping",
      [
        .u64x("address"), .u64x("start"), .u64x("end"), .u64x("vm_flags"), .u64("pgoff"),
        .u64x("prev_end"), .u64x("next_start"), .u64("inode"), .u64("file_size"), .u64x("fs_magic"),
        .u32x("device"), .u32x("inode_flags"), .u32x("mode"), .u32x("flags"),
        .text("filesystem", .times(16)), .text("block_device", .times(32)), .reserved(),
        .u32("path_size"), .text("path", .counted(max: Int(MRT_PATH_MAX))),
      ]),
    RecordKind(
      MRT_KIND_FAULT, "fault",
      [
        .u64x("address"), .u64("inode"), .u64("page_offset"), .u64("file_size"),
        .flags("result", .vmFaultFlag), .u32x("fault_flags"), .u32x("flags"), .s32("error"),
      ]),
    RecordKind(
      MRT_KIND_STACK, "stack",
      [
        .named("what", .stackWhat), .u32("count"),
        .u64x("addresses", .counted(max: Int(MRT_STACK_MAX))),
      ]),
    RecordKind(
      MRT_KIND_COUNTER, "counter",
      [
        .u64("seen"), .u64("failed"), .u64("recorded"), .u64("lost"), .u64("filtered"),
        .u64("untracked"), .u64("missed"), .named("rung", .rung), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_SYMBOL, "symbol",
      [
        .u64x("address"), .named("what", .stackWhat), .u32("name_size"),
        .text("name", .counted(max: Int(MRT_NAME_MAX))),
      ]),
    RecordKind(
      MRT_KIND_PAGES, "pages",
      [
        .u64x("bits"), .u64("pages"), .u32x("level"), .named("outcome", .pagesOutcome),
        .u32("weight"), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_ACCOUNT, "account",
      [
        .u64("calls"), .u64("reported"), .u64("cut"), .u64("aggregated"), .u64("filtered"),
        .u64("unstarted"), .u64("missed"), .u64("missed_returns"), .u64("missed_entries"),
        .u64("running"), .u64("failed"), .u64("recorded"), .u64("lost"), .u64("received"),
        .u64("written"), .u64("untracked"), .u64("since_ns", key: "since_monotonic_ns"),
        .named("rung", .rung), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_OWNER, "owner",
      [
        .u64("start_ns"), .u64("cgroup"), .u32("owner_pid"), .u32("owner_tid"),
        .u32("pid_namespace"), .u32("levels"), .u32("pids", .times(Int(MRT_PID_LEVELS))),
      ]),
    RecordKind(
      MRT_KIND_OMITTED, "omitted",
      [
        .result("result"), .named("kind", .operationKind), .reserved(),
      ]),
    RecordKind(
      MRT_KIND_CGROUP, "cgroup",
      [
        .u64("cgroup"), .reserved(), .u32("path_size"),
        .text("path", .counted(max: Int(MRT_PATH_MAX))),
      ]),
    RecordKind(
      MRT_KIND_FOLIO, "folio",
      [
        .u64x("folio"), .u64x("pfn"), .u64x("address"), .u64x("page_flags"), .u64("index"),
        .u64("inode"), .s32("references"), .s32("mappings"), .s32("pins"), .u32("pages"),
        .named("zone", .zone), .u32("node"), .u32x("state"), .u32x("has"),
      ]),
    RecordKind(
      MRT_KIND_REFUSAL, "refusal",
      [
        .u64("cgroup"), .u64("usage"), .u64("limit"), .u64("killed_ns", key: "killed_monotonic_ns"),
        .named("what", .refusalWhat), .u32("resource"), .u32x("flags"), .u32("exit_code"),
        .text("name", .times(32)),
      ]),
    RecordKind(
      MRT_KIND_FORKED, "forked",
      [
        .u64x("address"), .u64x("start"), .u64x("end"), .u64x("vm_flags"),
        .u64("forked_ns", key: "forked_monotonic_ns"), .u32("pid"), .u32("generation"),
        .text("comm", .times(16)),
      ]),
    RecordKind(
      MRT_KIND_SHED, "shed",
      [
        .u64("shed"), .u64("missed"), .u64("since_ns", key: "since_monotonic_ns"),
      ]),
    RecordKind(
      MRT_KIND_BACKING, "backing",
      [
        .u64x("address"), .u64x("identity"), .u64("blocks_max"), .u64("blocks_used"),
        .u64("huge_size"), .u64("huge_total"), .u64("huge_free"), .u64("huge_reserved"),
        .u64("huge_surplus"), .u64("huge_overcommit"), .s64("subpool_max"), .s64("subpool_used"),
        .u64("group"), .u64("group_usage"), .u64("group_max"), .u64("group_reserved"),
        .u64("group_reserved_usage"), .u64("group_reserved_max"), .u32x("has"), .u32x("flags"),
        .u32x("device"), .reserved(), .reserved("reserved2"), .u32("path_size"),
        .text("path", .counted(max: Int(MRT_PATH_MAX))),
      ]),
  ]
}

/// Names of numbers, each as `enum mrt_…` or the `MRT_…` of events.h has them but for the prefix.
extension RecordEnumeration {
  package static let operationKind = RecordEnumeration(
    "operation_kind", Operation.Kind.allCases.map { ($0.rawValue, $0.number) })

  package static let rung = RecordEnumeration(
    "rung",
    [
      ("none", MRT_RUNG_NONE.rawValue), ("fexit", MRT_RUNG_FEXIT.rawValue),
      ("kprobe", MRT_RUNG_KPROBE.rawValue), ("tracepoint", MRT_RUNG_TRACEPOINT.rawValue),
    ])

  /// `enum ib_uverbs_advise_mr_advice` (ib_user_ioctl_verbs.h).
  static let advice = RecordEnumeration(
    "advice", [("PREFETCH", 0), ("PREFETCH_WRITE", 1), ("PREFETCH_NO_FAULT", 2)])

  static let accessFlag = RecordEnumeration(flags: "access_flag", AccessFlags.table)

  package static let entriesWhat = RecordEnumeration(
    "entries_what", [("pte", MRT_ENTRIES_PTE.rawValue), ("hmm_pfn", MRT_ENTRIES_HMM_PFN.rawValue)])

  package static let entriesSearch = RecordEnumeration(
    "entries_search",
    [
      ("walked", UInt32(MRT_ENTRIES_WALKED)), ("faulted", UInt32(MRT_ENTRIES_FAULTED)),
      ("accepted", UInt32(MRT_ENTRIES_ACCEPTED)),
    ])

  package static let stackWhat = RecordEnumeration(
    "stack_what", [("kernel", MRT_STACK_KERNEL.rawValue), ("user", MRT_STACK_USER.rawValue)])

  package static let pagesOutcome = RecordEnumeration(
    "pages_outcome",
    [("accepted", UInt32(MRT_PAGES_ACCEPTED)), ("in_failed_walk", UInt32(MRT_PAGES_FAILED))])

  package static let zone = RecordEnumeration(
    "zone",
    [
      ("DMA", MRT_ZONE_DMA.rawValue), ("DMA32", MRT_ZONE_DMA32.rawValue),
      ("NORMAL", MRT_ZONE_NORMAL.rawValue), ("MOVABLE", MRT_ZONE_MOVABLE.rawValue),
      ("DEVICE", MRT_ZONE_DEVICE.rawValue),
    ])

  package static let refusalWhat = RecordEnumeration(
    "refusal_what",
    [
      ("rdma_cgroup", MRT_REFUSAL_RDMA_CGROUP.rawValue),
      ("device_removed", MRT_REFUSAL_DEVICE_REMOVED.rawValue),
      ("killed", MRT_REFUSAL_KILLED.rawValue),
    ])

  static let vmFaultFlag = RecordEnumeration(
    flags: "vm_fault_flag",
    VMFault.table.map { ($0.bit, String($0.name.dropFirst("VM_FAULT_".count))) })

  /// In the order in which the recording's CTF text has them.
  package static let all = [
    operationKind, rung, advice, accessFlag, entriesWhat, entriesSearch, stackWhat, pagesOutcome,
    zone, refusalWhat, vmFaultFlag,
  ]
}
