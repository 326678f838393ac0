// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// One event of each kind, with a different number in every field: what is mixed up shows.
enum SampleEvents {
  static let kinds: [UInt32] = Array(1...16) + [18, 19, 20, 21, 22, 17]

  /// The one of that kind.
  static func of(kind: UInt32) -> Event {
    all()[kinds.firstIndex(of: kind) ?? 0]
  }

  static func header(
    hook: mrt_hook = MRT_HOOK_NONE, timeNs: UInt64 = 1_000, operation: UInt64 = 7,
    pid: UInt32 = 412, tid: UInt32 = 413, cpu: UInt32 = 0
  ) -> mrt_header {
    mrt_header(
      time_ns: timeNs, kind: 0, size: 0, operation: operation, pid: pid, tid: tid, cpu: cpu,
      hook: hook.rawValue)
  }

  static func operation(
    kind: mrt_operation_kind = MRT_OP_ADVISE_MR, header: mrt_header = header(), result: Int64 = -14,
    has: UInt32 = 0x1FFF
  ) -> mrt_operation {
    var record = mrt_operation()
    record.h = header
    record.start_ns = header.time_ns &- 500
    record.result = result
    record.umem = 0xFFFF_8880_0000_1000
    record.mr_address = 0x7F10_C000_0000
    record.mr_length = 0x20_0000
    record.mr_iova = 0x1000
    record.request_address = 0x7F10_C000_3000
    record.request_length = 0x2000
    record.kind = kind.rawValue
    record.has = has
    record.access = 0x43
    record.device_caps = MRT_CAP_ON_DEMAND | MRT_CAP_FLUSH_PERSISTENT
    record.driver_ops = MRT_DRIVER_ADVISE_MR
    record.advice = 1
    record.advise_flags = 1
    record.num_sge = 3
    record.lkey = 0x1234
    record.owner_pid = header.pid
    CText.fill(&record.owner_comm, with: "server")
    CText.fill(&record.comm, with: "server-io")
    CText.fill(&record.device, with: "rxe0")
    return record
  }

  static func umem(header: mrt_header = header(hook: MRT_HOOK_ODP_GET)) -> mrt_umem {
    mrt_umem(
      h: header, umem: 0xFFFF_8880_0000_1000, address: 0x7F10_C000_0000, length: 0x20_0000,
      iova: 0x1000, pinned_vm: 11, memlock_limit: 65536, page_shift: 12,
      flags: MRT_UMEM_WRITABLE | MRT_UMEM_ODP | MRT_UMEM_HAS_FIELDS | MRT_UMEM_HAS_PAGE_SHIFT
        | MRT_UMEM_HAS_MEMLOCK, owner_pid: 412, access: 0x41)
  }

  static func layer(
    header: mrt_header = header(hook: MRT_HOOK_ODP_MAP), result: Int64 = -14, argument: UInt64 = 1
  ) -> mrt_layer {
    mrt_layer(
      h: header, result: result, arguments: (argument, 2, 3, 4, 5, 6),
      rung: MRT_RUNG_FEXIT.rawValue, reserved: 0)
  }

  static func range(header: mrt_header = header(hook: MRT_HOOK_RANGE_FAULT)) -> mrt_range {
    mrt_range(
      h: header, result: -16, start: 0x1000, end: 0x5000, default_flags: 1 << 63,
      pfn_flags_mask: 0x22, mm: 0xFFFF_8880_0000_2000, rung: MRT_RUNG_KPROBE.rawValue,
      flags: MRT_RANGE_CAN_UNLOCK)
  }

  static func walk(
    header: mrt_header = header(hook: MRT_HOOK_WALK_PMD),
    flags: UInt32 = MRT_WALK_HAS_LAST | MRT_WALK_HAS_PENDING | MRT_WALK_HAS_DEFAULT
  ) -> mrt_walk {
    mrt_walk(
      h: header, result: -14, start: 0x1000, end: 0x4000, last: 0x2000, pending_end: 0x3000,
      default_flags: 3 << 62, entry: 0x8400_0000_2804_0267, required_fault: 2, flags: flags,
      rung: MRT_RUNG_FEXIT.rawValue, reserved: 0)
  }

  static func walk(
    timeNs: UInt64, operation: UInt64, tid: UInt32 = 413, hook: mrt_hook = MRT_HOOK_WALK_PMD
  ) -> Event {
    .walk(walk(header: header(hook: hook, timeNs: timeNs, operation: operation, tid: tid)))
  }

  static func levels(header: mrt_header = header(hook: MRT_HOOK_WALK_PMD)) -> mrt_levels {
    mrt_levels(
      h: header, address: 0x7F10_C000_3000, pgd: 0x11, p4d: 0x22, pud: 0x33, pmd: 0x44, pte: 0x55,
      read: MRT_LEVEL_PGD | MRT_LEVEL_PUD | MRT_LEVEL_PMD | MRT_LEVEL_PTE, paging_levels: 4)
  }

  static func entries(
    header: mrt_header = header(hook: MRT_HOOK_WALK_PMD), count: Int = 5
  ) -> EntriesRecord {
    EntriesRecord(
      header: header, address: 0x7F10_C000_0000, what: MRT_ENTRIES_PTE.rawValue,
      search: UInt32(MRT_ENTRIES_WALKED),
      values: (0..<UInt64(count)).map { 0x8000_0000_0000_0867 + $0 << 12 })
  }

  static func mapping(
    header: mrt_header = header(hook: MRT_HOOK_WALK_TEST),
    flags: UInt32 = MRT_MAPPING_FOUND | MRT_MAPPING_HAS_FILE | MRT_MAPPING_FSDAX,
    path: String = "pool\0pmem\0mnt\0/\0"
  ) -> MappingRecord {
    var record = MappingRecord(header: header, address: 0x7F10_C000_3000, flags: flags)
    record.start = 0x7F10_C000_0000
    record.end = 0x7F10_C020_0000
    record.vmFlags = 0xFB
    record.pageOffset = 16
    record.previousEnd = 0x7000
    record.nextStart = 0x9000
    record.inode = 12
    record.fileSize = 0x10_0000
    record.filesystemMagic = 0xEF53
    record.device = 0x0FD0_0000
    record.inodeFlags = 0x2000
    record.mode = 0o100644
    record.filesystem = "ext4"
    record.blockDevice = "pmem0"
    record.path = Array(path.utf8)
    return record
  }

  static func fault(
    header: mrt_header = header(hook: MRT_HOOK_DAX_PTE_FAULT),
    flags: UInt32 = MRT_FAULT_HAS_FILE | MRT_FAULT_HAS_FLAGS | MRT_FAULT_HAS_ERROR
  ) -> mrt_fault {
    mrt_fault(
      h: header, address: 0x7F10_C000_4000, inode: 12, page_offset: 20, file_size: 0x4000,
      result: 2, fault_flags: 0x81, flags: flags, error: -28)
  }

  static func stack(
    header: mrt_header = header(), what: mrt_stack_what = MRT_STACK_KERNEL,
    addresses: [UInt64] = [0xFFFF_FFFF_8100_0010, 0xFFFF_FFFF_8100_0020]
  ) -> StackRecord {
    StackRecord(header: header, what: what.rawValue, addresses: addresses)
  }

  static func counter(
    header: mrt_header = header(hook: MRT_HOOK_WALK_PMD, operation: 0)
  ) -> mrt_counter {
    mrt_counter(
      h: header,
      counts: mrt_counts(
        seen: 100, failed: 90, recorded: 80, lost: 7, filtered: 3, untracked: 2), missed: 1,
      rung: MRT_RUNG_FEXIT.rawValue, reserved: 0)
  }

  static func pages(
    header: mrt_header = header(hook: MRT_HOOK_WALK_PMD, operation: 0),
    bits: UInt64 = 0x8400_0000_0000_0267, count: UInt64 = 4096, level: UInt32 = MRT_LEVEL_PTE,
    outcome: Int32 = MRT_PAGES_FAILED, weight: UInt32 = 1
  ) -> mrt_pages {
    mrt_pages(
      h: header, bits: bits, pages: count, level: level, outcome: UInt32(outcome), weight: weight,
      reserved: 0)
  }

  /// As ``counter(header:)``, in full.
  static func account(
    header: mrt_header = header(hook: MRT_HOOK_WALK_PMD, operation: 0)
  ) -> mrt_account {
    mrt_account(
      h: header, calls: 106, reported: 80, cut: 5, aggregated: 10, filtered: 3, unstarted: 2,
      missed: 1, missed_returns: 5, missed_entries: 4, running: 6, failed: 90, recorded: 80,
      lost: 7, received: 79, written: 78, untracked: 2, since_ns: 500,
      rung: MRT_RUNG_FEXIT.rawValue, reserved: 0)
  }

  /// Process 4242, 7 in its container.
  static func owner(
    header: mrt_header = header(), pids: [UInt32] = [4242, 7], cgroup: UInt64 = 99
  ) -> mrt_owner {
    var record = mrt_owner()
    record.h = header
    record.start_ns = 5_000
    record.cgroup = cgroup
    record.owner_pid = pids[0]
    record.owner_tid = pids[0]
    record.pid_namespace = 4_026_532_000
    record.levels = UInt32(pids.count)
    withUnsafeMutableBytes(of: &record.pids) { bytes in
      for (level, pid) in pids.prefix(Int(MRT_PID_LEVELS)).enumerated() {
        bytes.storeBytes(of: pid, toByteOffset: 4 * level, as: UInt32.self)
      }
    }
    return record
  }

  static func shed(header: mrt_header = header()) -> mrt_shed {
    mrt_shed(h: header, shed: 7, missed: 3, since_ns: 5)
  }

  static func omitted(header: mrt_header = header()) -> mrt_omitted {
    mrt_omitted(h: header, result: -14, kind: MRT_OP_ADVISE_MR.rawValue, reserved: 0)
  }

  static func cgroup(
    _ number: UInt64 = 99, path: String = "/system.slice/server.service", timeNs: UInt64 = 1_000
  ) -> Event { .cgroup(number, path: path, timeNs: timeNs) }

  /// Anonymous memory in a pipe, in ZONE_MOVABLE.
  static func folio(header: mrt_header = header()) -> mrt_folio {
    var record = mrt_folio()
    record.h = header
    record.folio = 0xFFFF_EA00_0084_0100
    record.pfn = 0x21004
    record.address = 0x7F10_C000_8000
    record.page_flags = 0x58_0000_0000_0015
    record.index = 0x7_F10C_0008
    record.references = 3
    record.mappings = 1
    record.pages = 1
    record.zone = MRT_ZONE_MOVABLE.rawValue
    record.state = MRT_FOLIO_ANON
    record.has =
      MRT_FOLIO_HAS_ADDRESS | MRT_FOLIO_HAS_MAPPINGS | MRT_FOLIO_HAS_PAGES | MRT_FOLIO_HAS_ZONE
    return record
  }

  /// The limit of control group 99 has been met.
  static func refusal(
    header: mrt_header = header(), _ what: mrt_refusal_what = MRT_REFUSAL_RDMA_CGROUP,
    flags: UInt32 = 0, exitCode: UInt32 = 0
  ) -> mrt_refusal {
    var record = mrt_refusal()
    record.h = header
    record.cgroup = 99
    record.usage = 4
    record.limit = 4
    record.what = what.rawValue
    record.resource = 1
    record.flags = flags
    record.exit_code = exitCode
    if flags & MRT_KILLED_OOM_SEEN != 0 { record.killed_ns = 900 }
    if what == MRT_REFUSAL_DEVICE_REMOVED { CText.fill(&record.name, with: "uverbs0") }
    return record
  }

  /// Process 4241 has kept 16 pages for itself when it forked.
  static func forked(header: mrt_header = header()) -> mrt_forked {
    var record = mrt_forked()
    record.h = header
    record.address = 0x7F10_C000_8000
    record.start = 0x7F10_C000_0000
    record.end = 0x7F10_C001_0000
    record.vm_flags = 0x12_0073
    record.forked_ns = 900
    record.pid = 4241
    record.generation = 1
    CText.fill(&record.comm, with: "parent")
    return record
  }

  static func backing(
    header: mrt_header = header(), has: UInt32 = 0xff, path: String = "f\0upper\0"
  ) -> BackingRecord {
    BackingRecord(
      header: header,
      facts: mrt_backing_facts(
        address: 0x7F10_C000_3000, identity: 0xFFFF_8880_0000_2000, blocks_max: 64, blocks_used: 63,
        huge_size: 2 << 20, huge_total: 5, huge_free: 4, huge_reserved: 3, huge_surplus: 2,
        huge_overcommit: 1, subpool_max: -1, subpool_used: 6, group: 70, group_usage: 512,
        group_max: 1024, group_reserved: 71, group_reserved_usage: 513, group_reserved_max: 1025,
        has: has,
        flags: MRT_BACKING_PAGE_MKWRITE | MRT_BACKING_WRITEBACK | MRT_BACKING_RESERVE_OWNER,
        device: 8 << 20 | 1, reserved: 0),
      path: Array(path.utf8))
  }

  static func symbol(timeNs: UInt64 = 1_000) -> Event {
    .kernelSymbol(address: 0xFFFF_FFFF_8100_0010, name: "hmm_vma_walk_pmd+0x12", timeNs: timeNs)
  }

  /// All kinds, one each, in order of their kind, `step` ns apart.
  static func all(from timeNs: UInt64 = 1_000, step: UInt64 = 10, cpu: UInt32 = 0) -> [Event] {
    func header(_ kind: UInt64, _ hook: mrt_hook, operation: UInt64 = 7) -> mrt_header {
      Self.header(hook: hook, timeNs: timeNs + (kind - 1) * step, operation: operation, cpu: cpu)
    }
    return [
      .operation(operation(header: header(1, MRT_HOOK_ADVISE_MR))),
      .umem(umem(header: header(2, MRT_HOOK_ODP_GET))),
      .layer(layer(header: header(3, MRT_HOOK_ODP_MAP))),
      .range(range(header: header(4, MRT_HOOK_RANGE_FAULT))),
      .walk(walk(header: header(5, MRT_HOOK_WALK_PMD))),
      .levels(levels(header: header(6, MRT_HOOK_WALK_PMD))),
      .entries(entries(header: header(7, MRT_HOOK_WALK_PMD))),
      .mapping(mapping(header: header(8, MRT_HOOK_WALK_TEST))),
      .fault(fault(header: header(9, MRT_HOOK_DAX_PTE_FAULT))),
      .stack(stack(header: header(10, MRT_HOOK_WALK_PMD))),
      .counter(counter(header: header(11, MRT_HOOK_WALK_PMD, operation: 0))),
      symbol(timeNs: timeNs + 11 * step),
      .pages(pages(header: header(13, MRT_HOOK_WALK_PMD, operation: 0))),
      .account(account(header: header(14, MRT_HOOK_WALK_PMD, operation: 0))),
      .owner(owner(header: header(15, MRT_HOOK_ADVISE_MR))),
      .omitted(omitted(header: header(16, MRT_HOOK_ADVISE_MR))),
      .backing(backing(header: header(18, MRT_HOOK_UMEM_GET))),
      .folio(folio(header: header(19, MRT_HOOK_MIGRATE_PAGES))),
      .refusal(refusal(header: header(20, MRT_HOOK_REG_MR))),
      .forked(forked(header: header(21, MRT_HOOK_UMEM_GET))),
      .shed(shed(header: header(22, MRT_HOOK_ODP_MAP))),
      cgroup(timeNs: timeNs + 22 * step),
    ]
  }
}
