// SPDX-License-Identifier: Apache-2.0

import Model

/// A failed operation, as the rules of the causes ask about it: its evidence, the kernel's traits, what was watched.
///
/// Addresses and sizes may come from a damaged recording: arithmetic on them wraps, and loops run
/// over evidence, never over address ranges.
struct Failure: Sendable {
  let operation: Operation
  let traits: KernelTraits
  let errno: Errno
  /// Callbacks that failed in the last attempt, the deepest first.
  let walks: [WalkEvidence]
  let ranges: [RangeEvidence]
  let layers: [LayerEvidence]
  let tables: TableEvidence
  /// Functions whose failure would have been recorded; nil = not known, taken for all.
  private let watched: Set<FunctionName>?
  /// Functions of which runs were missed while the operation ran.
  let missed: Set<FunctionName>
  /// There was evidence of another call: what is lacking says nothing.
  private let isDoubtful: Bool
  /// Where HMM, or a pin, stopped.
  private(set) var locus: Locus = .none

  init(
    _ operation: Operation, traits: KernelTraits, errno: Errno, watched: Set<FunctionName>? = nil,
    missed: Set<FunctionName> = [], isDoubtful: Bool = false
  ) {
    self.operation = operation
    self.isDoubtful = isDoubtful
    self.traits = traits
    self.errno = errno
    self.watched = watched
    self.missed = missed
    walks = Failure.lastAttempt(of: operation.walks.filter { Failure.isFailure($0.result) })
    ranges = operation.ranges.filter { Failure.isFailure($0.result) }
    layers = operation.layers.filter { $0.errno != nil }
    tables = TableEvidence(operation, format: traits.pageTables)
    locus = Locator(self).locus
  }

  static let pageSize: UInt64 = 4096

  static func page(of address: UInt64) -> UInt64 { address & ~(pageSize - 1) }

  /// -EBUSY asks for another walk on every kernel, -EAGAIN for a fault on 7.3: neither is a
  /// failure. A pointer returned as s64 is negative too, hence the limit.
  static func isFailure(_ result: Int64) -> Bool {
    guard let errno = Errno(result: result) else { return false }
    return errno != .busy && errno != .again
  }

  /// hmm_vma_walk_hole() is tail-called from hmm_vma_walk_pmd(), and hmm_vma_handle_pte() called by
  /// it: the callbacks around the last failing one are the same failure, and everything before is
  /// another.
  private static func lastAttempt(of walks: [WalkEvidence]) -> [WalkEvidence] {
    guard let last = walks.last else { return [] }
    let inner = walks.dropLast().reversed().prefix {
      $0.result == last.result && $0.start >= last.start && $0.start < last.end
    }
    return inner.reversed() + [last]
  }

  // MARK: What was asked for

  /// HMM was asked for writable pages (HMM_PFN_REQ_WRITE).
  func wantsWrite(_ walk: WalkEvidence) -> Bool {
    if let required = walk.requiredFault, required & 2 != 0 { return true }
    let flags = walk.defaultFlags ?? ranges.last?.defaultFlags ?? 0
    return flags & 1 << 62 != 0
  }

  var access: AccessFlags? { operation.mr.access.map(AccessFlags.init(rawValue:)) }

  /// Advice for several ranges may have failed at another MR than the first, which `access` is of.
  var isOfOneMR: Bool { operation.advice.map { $0.sgeCount <= 1 } ?? true }

  // MARK: Mappings

  /// The mapping that holds `page`, or the gap that does.
  func mapping(at page: UInt64) -> MappingEvidence? {
    operation.mappings.last { $0.found && $0.start <= page && page < $0.end }
      ?? operation.mappings.last { !$0.found && Failure.page(of: $0.address) == page }
  }

  /// Byte offset of `page` in its file, whatever the file is.
  func fileOffset(of page: UInt64) -> UInt64? {
    guard let mapping = mapping(at: page), mapping.found, mapping.file != nil else { return nil }
    return mapping.pageOffset << 12 &+ (page &- mapping.start)
  }

  /// The first page of `mapping` that is beyond the end of its regular file. nil: no such file, or
  /// no such page.
  func firstPageBeyondEOF(of mapping: MappingEvidence) -> UInt64? {
    guard mapping.found, let file = mapping.file, file.isRegular else { return nil }
    let pages = file.size >> 12 &+ (file.size & 4095 == 0 ? 0 : 1)
    guard pages > mapping.pageOffset else { return mapping.start }
    let inside = pages &- mapping.pageOffset
    guard inside < (mapping.end &- mapping.start) >> 12 else { return nil }
    return mapping.start &+ inside << 12
  }

  /// Any fault at `page` must fail: it lies behind the last page of its regular file.
  func isBeyondEOF(_ page: UInt64) -> Bool {
    guard let mapping = mapping(at: page), let first = firstPageBeyondEOF(of: mapping) else {
      return false
    }
    return page >= first
  }

  // MARK: Layers

  func layer(_ functions: String...) -> LayerEvidence? {
    layers.last { functions.contains($0.function) }
  }

  /// A failure of one of these would be in the evidence: that there is none says something. Where
  /// records were lost, their absence says nothing.
  func wouldHaveSeen(_ functions: FunctionName...) -> Bool { wouldHaveSeen(functions) }

  func wouldHaveSeen(_ functions: [FunctionName]) -> Bool {
    guard operation.isComplete, !isDoubtful else { return false }
    return functions.contains { !missed.contains($0) && watched?.contains($0) ?? true }
  }

  /// Was it watched, as far as that is known?
  func isWatched(_ function: FunctionName) -> Bool { watched?.contains(function) ?? true }

  /// HMM did not fail, and would have been seen to.
  var passedHMM: Bool {
    !sawHMMFail() && wouldHaveSeen("hmm_range_fault", "hmm_range_fault_locked")
  }

  /// HMM failed in this operation: a callback or range of it did, or it was seen to look at
  /// mappings and entries, which are recorded for a failure only.
  func sawHMMFail(but function: FunctionName? = nil) -> Bool {
    !walks.isEmpty || ranges.contains { $0.function != function } || !operation.mappings.isEmpty
      || !operation.levels.isEmpty || !operation.entries.isEmpty || !operation.faults.isEmpty
  }

  // MARK: The umem

  /// ib_umem_odp_map_dma_and_lock(umem_odp, user_virt, bcnt, access_mask, fault), where it failed.
  var failedMap: LayerEvidence? {
    layer("ib_umem_odp_map_dma_and_lock").flatMap { $0.arguments.count >= 4 ? $0 : nil }
  }

  /// The umem of the operation, as the failing map function left it.
  var umem: UmemEvidence? { operation.umems.last { $0.region != nil } }

  /// The range was to be mapped for an MR that is pinned: a driver that does not look takes its umem
  /// for one that is on demand, and reads behind it.
  var isOfPinnedMR: Bool {
    failedMap != nil && umem?.isODP == false && umem?.pageShift != nil
  }

  /// What was registered: of the umem where one was read, else as the registration asked.
  var region: AddressRange? {
    if let region = umem?.region { return region }
    guard let address = operation.mr.address, let length = operation.mr.length else { return nil }
    return AddressRange(start: address, length: length)
  }

  /// ib_umem_odp.page_shift; a registration with HUGETLB asks for 2 MiB.
  var pageShift: UInt32 {
    umem?.pageShift ?? (access?.contains(.hugetlb) == true ? 21 : 12)
  }

  /// The umem's range, rounded to its page size as ib_umem_start() and ib_umem_end() do.
  var umemRange: (start: UInt64, end: UInt64)? {
    guard let region, pageShift < 64 else { return nil }
    let mask = UInt64(1) << UInt64(pageShift) &- 1
    return (region.start & ~mask, (region.start &+ region.length &+ mask) & ~mask)
  }

  /// The range that was to be mapped lies in the umem; nil = not known.
  func isInsideUmem(_ map: LayerEvidence) -> Bool? {
    guard umem != nil, let range = umemRange, map.arguments.count >= 3 else { return nil }
    let (end, wraps) = map.arguments[1].addingReportingOverflow(map.arguments[2])
    return !wraps && map.arguments[1] >= range.start && end <= range.end
  }

  /// Nothing below the verb was seen to fail.
  var isBare: Bool { walks.isEmpty && ranges.isEmpty && layers.isEmpty }
}

extension MappingEvidence {
  var flags: VMAFlags { VMAFlags(rawValue: vmFlags) }
}

extension MappingEvidence.File {
  /// S_ISREG(i_mode)
  var isRegular: Bool { mode & 0o170000 == 0o100000 }

  /// The device node of a GPU or accelerator; of DRM's files the inode is one of its own.
  var isAccelerator: Bool {
    if isRegular { return false }
    // The path may begin at the root of devtmpfs.
    let name = path.hasPrefix("/dev/") ? path.dropFirst(4) : path[...]
    return filesystem == "drm"
      || ["/nvidia", "/dri/", "/kfd", "/accel/", "/habanalabs"].contains { name.hasPrefix($0) }
  }
}
