// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension Operation {
  /// Adds one record's evidence; functions get their names from `hooks`.
  mutating func add(_ event: Event, hooks: HookNames) {
    switch event {
    case .umem(let record): umems.append(UmemEvidence(record, hooks: hooks))
    case .layer(let record): layers.append(LayerEvidence(record, hooks: hooks))
    case .range(let record): ranges.append(RangeEvidence(record, hooks: hooks))
    case .walk(let record): walks.append(WalkEvidence(record, hooks: hooks))
    case .levels(let record): levels.append(LevelsEvidence(record))
    case .entries(let record):
      // A kind of entries of a later version has no meaning here.
      if let evidence = EntriesEvidence(record) { entries.append(evidence) }
    case .mapping(let record): mappings.append(MappingEvidence(record))
    case .fault(let record): faults.append(FaultEvidence(record, hooks: hooks))
    case .stack(let record):
      let frames = record.addresses.map { StackFrame(address: $0, name: nil) }
      switch mrt_stack_what(rawValue: record.what) {
      // The first is the one of the failure; later ones were taken further out.
      case MRT_STACK_KERNEL where kernelStack.isEmpty:
        kernelStack = frames
        stackNs = record.header.time_ns
      case MRT_STACK_USER where userStack.isEmpty: userStack = frames
      default: break
      }
    case .owner(let record): owner = OwnerEvidence(record)
    case .folio(let record): folios.append(FolioEvidence(record))
    case .refusal(let record):
      // One of a later version has no meaning here.
      if let evidence = RefusalEvidence(record) { refusals.append(evidence) }
    case .forked(let record): forked.append(ForkedEvidence(record))
    case .backing(let record): backings.append(BackingEvidence(record, hooks: hooks))
    case .operation, .omitted, .counter, .account, .shed, .symbol, .cgroup, .pages, .unknown: break
    }
  }
}

extension UmemEvidence {
  init(_ record: mrt_umem, hooks: HookNames) {
    self.init(
      function: hooks[record.h.hook], timeNs: record.h.time_ns, identity: record.umem)
    if record.flags & MRT_UMEM_HAS_FIELDS != 0 {
      region = AddressRange(start: record.address, length: record.length)
      iova = record.iova
      writable = record.flags & MRT_UMEM_WRITABLE != 0
      isODP = record.flags & MRT_UMEM_ODP != 0
    }
    if record.flags & MRT_UMEM_HAS_PAGE_SHIFT != 0 { pageShift = record.page_shift }
    if record.flags & MRT_UMEM_HAS_MEMLOCK != 0 {
      pinnedPages = record.pinned_vm
      memlockLimit = record.memlock_limit
      mayLock = record.flags & MRT_UMEM_MAY_LOCK != 0
    }
    // No bit says that it was read: 0 may be "local read only" as well as "not asked here".
    if record.access != 0 { access = record.access }
    if record.owner_pid != 0 { ownerPID = Int(record.owner_pid) }
  }
}

extension LayerEvidence {
  init(_ record: mrt_layer, hooks: HookNames) {
    let arguments = withUnsafeBytes(of: record.arguments) { Array($0.bindMemory(to: UInt64.self)) }
    self.init(
      function: hooks[record.h.hook], timeNs: record.h.time_ns, result: record.result,
      arguments: arguments, rung: Rung(record.rung))
  }
}

extension RangeEvidence {
  init(_ record: mrt_range, hooks: HookNames) {
    self.init(
      function: hooks[record.h.hook], timeNs: record.h.time_ns, result: record.result,
      start: record.start, end: record.end, defaultFlags: record.default_flags,
      rung: Rung(record.rung))
  }
}

extension WalkEvidence {
  init(_ record: mrt_walk, hooks: HookNames) {
    self.init(
      function: hooks[record.h.hook], timeNs: record.h.time_ns, result: record.result,
      start: record.start, end: record.end, hasVMA: record.flags & MRT_WALK_NO_VMA == 0,
      entry: record.entry, rung: Rung(record.rung))
    let hasPending = record.flags & MRT_WALK_HAS_PENDING != 0
    if hasPending || record.flags & MRT_WALK_HAS_LAST != 0 { last = record.last }
    if hasPending {
      pendingEnd = record.pending_end
      requiredFault = record.required_fault
    }
    if record.flags & MRT_WALK_HAS_DEFAULT != 0 { defaultFlags = record.default_flags }
  }
}

extension LevelsEvidence {
  init(_ record: mrt_levels) {
    self.init(address: record.address, pagingLevels: Int(record.paging_levels))
    timeNs = record.h.time_ns
    if record.read & MRT_LEVEL_PGD != 0 { pgd = record.pgd }
    if record.read & MRT_LEVEL_P4D != 0 { p4d = record.p4d }
    if record.read & MRT_LEVEL_PUD != 0 { pud = record.pud }
    if record.read & MRT_LEVEL_PMD != 0 { pmd = record.pmd }
    if record.read & MRT_LEVEL_PTE != 0 { pte = record.pte }
  }
}

extension EntriesEvidence {
  init?(_ record: EntriesRecord) {
    let what: What
    switch mrt_entries_what(rawValue: record.what) {
    case MRT_ENTRIES_PTE: what = .pte
    case MRT_ENTRIES_HMM_PFN: what = .hmmPFN
    default: return nil
    }
    let search: Search
    switch Int32(bitPattern: record.search) {
    case MRT_ENTRIES_WALKED: search = .walked
    case MRT_ENTRIES_FAULTED: search = .faulted
    // MRT_ENTRIES_ACCEPTED too: no evidence of a failure.
    default: return nil
    }
    self.init(what: what, search: search, address: record.address, values: record.values)
    timeNs = record.header.time_ns
  }
}

extension MappingEvidence {
  init(_ record: MappingRecord) {
    let has = { record.flags & $0 != 0 }
    self.init(
      address: record.address, found: has(MRT_MAPPING_FOUND), start: record.start, end: record.end,
      vmFlags: record.vmFlags, pageOffset: record.pageOffset)
    timeNs = record.header.time_ns
    if has(MRT_MAPPING_HAS_PREV) { previousEnd = record.previousEnd }
    if has(MRT_MAPPING_HAS_NEXT) { nextStart = record.nextStart }
    isAnonymous = has(MRT_MAPPING_ANON)
    isFSDAX = has(MRT_MAPPING_FSDAX)
    isHugeTLB = has(MRT_MAPPING_HUGETLB)
    if has(MRT_MAPPING_HAS_FILE) {
      let path = record.filePath
      file = File(
        path: path.text, pathIsCut: path.isCut, inode: record.inode, size: record.fileSize,
        filesystem: record.filesystem, blockDevice: record.blockDevice,
        filesystemMagic: record.filesystemMagic, device: record.device, mode: record.mode,
        inodeFlags: record.inodeFlags)
    }
  }
}

extension FaultEvidence {
  init(_ record: mrt_fault, hooks: HookNames) {
    self.init(
      witness: hooks[record.h.hook], timeNs: record.h.time_ns, address: record.address,
      result: record.result)
    if record.flags & MRT_FAULT_HAS_FLAGS != 0 { faultFlags = record.fault_flags }
    if record.flags & MRT_FAULT_HAS_FILE != 0 {
      inode = record.inode
      pageOffset = record.page_offset
      fileSize = record.file_size
    }
    if record.flags & MRT_FAULT_HAS_ERROR != 0 { error = record.error }
  }
}
