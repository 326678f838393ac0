// SPDX-License-Identifier: Apache-2.0

import Model

/// Builds failed operations with the evidence that the kernel side takes.
struct Scene {
  static let base: UInt64 = 0x7f10_c000_0000
  static func page(_ index: UInt64) -> UInt64 { base + index * 4096 }

  static let requestFault: UInt64 = 1 << 63
  static let requestWrite: UInt64 = 1 << 62
  static let zeroPFN: UInt64 = 0x5c0d

  // Entries of a 6.1 kernel.
  static let plain: UInt64 = 0x8000_0000_2804_0067
  static let readOnly: UInt64 = 0x8000_0000_2804_0065 & ~0x42
  static let special: UInt64 = plain | 1 << 9
  static let devmap: UInt64 = 0x8400_0000_2804_0267
  static let zeroPage: UInt64 = 0x8000_0000_0000_0225 | zeroPFN << 12
  static let table: UInt64 = 0x1_2345_6067
  static let noExecuteLeaf: UInt64 = 0x8000_0000_4020_00e7

  static func swap(_ type: UInt8, _ offset: UInt64) -> UInt64 {
    PageTableEntryTests.swap(type: type, offset: offset)
  }

  enum Kernel: CaseIterable {
    case v510, v61, v612, v618, v72, v73
  }

  static func traits(_ kernel: Kernel) -> KernelTraits {
    let releases: [Kernel: String] = [
      .v510: "5.10.0-32-amd64", .v61: "6.1.192-fsdax-2021", .v612: "6.12.107-amd64",
      .v618: "6.18.15-amd64", .v72: "7.2.12-amd64", .v73: "7.3.4+deb13-amd64",
    ]
    let release = releases[kernel] ?? ""
    let old = kernel == .v510 || kernel == .v61
    let new = kernel == .v618 || kernel == .v72 || kernel == .v73
    var traits = KernelTraits(
      machine: "x86_64", release: release,
      pageTables: PageTableFormat.forKernel(
        PageTableFacts(
          hasCheckZappedPTE: !old, hasInsertPageMkwrite: new,
          hasMakeDeviceExclusive: !old || kernel == .v61,
          devicePrivate: true, release: KernelRelease(release), levels: 4)),
      specialRule: new ? .noDevmap : .devmapUnknown, faultsOutsideWalk: kernel == .v73,
      rejectsMixedMap: false, pinsForWriteAlways: old, refusesFilePins: !old)
    traits.zeroPFN = zeroPFN
    return traits
  }

  var operation: Operation
  var traits: KernelTraits
  private var clock: UInt64 = 1

  init(_ kind: Operation.Kind, _ errno: Errno, on kernel: Kernel = .v61) {
    operation = Operation(
      kind: kind, runner: .init(pid: 412, tid: 413, comm: "server"), endNs: 1_000_000,
      result: -Int64(errno.rawValue))
    operation.device = "rxe0"
    operation.mr.address = Scene.base
    operation.mr.length = 0x20_0000
    operation.mr.iova = Scene.base
    operation.mr.access = 0x43
    traits = Scene.traits(kernel)
  }

  private mutating func tick() -> UInt64 {
    clock += 1
    return clock
  }

  /// A failing callback over pages [first, first + count).
  mutating func walk(
    _ function: String, _ errno: Errno = .fault, first: UInt64 = 0, count: UInt64 = 16,
    last: UInt64? = nil, hasVMA: Bool = true, write: Bool = true, entry: UInt64 = 0
  ) {
    var walk = WalkEvidence(
      function: function, timeNs: tick(), result: -Int64(errno.rawValue), start: Scene.page(first),
      end: Scene.page(first + count), hasVMA: hasVMA, entry: entry, rung: .fexit)
    walk.last = last.map(Scene.page) ?? Scene.page(first)
    walk.defaultFlags = Scene.requestFault | (write ? Scene.requestWrite : 0)
    operation.walks.append(walk)
  }

  /// 7.3: the fault phase that failed.
  mutating func faultPhase(_ errno: Errno, first: UInt64, count: UInt64, write: Bool = false) {
    var walk = WalkEvidence(
      function: "hmm_range_fault_locked", timeNs: tick(), result: -Int64(errno.rawValue),
      start: Scene.page(first), end: Scene.page(first + count), hasVMA: true, entry: 0,
      rung: .fexit)
    walk.last = walk.start
    walk.pendingEnd = walk.end
    walk.requiredFault = write ? 3 : 1
    walk.defaultFlags = Scene.requestFault | (write ? Scene.requestWrite : 0)
    operation.walks.append(walk)
  }

  /// hmm_vma_walk_pmd() over a table with these entries, as its exit records them.
  mutating func walkTable(
    _ entries: [UInt64], first: UInt64 = 0, last: UInt64? = nil, write: Bool = true,
    hmm: [UInt64]? = nil
  ) {
    walk(
      "hmm_vma_walk_pmd", first: first, count: UInt64(entries.count), last: last, write: write,
      entry: Scene.table)
    ptes(entries, first: first)
    if let hmm {
      operation.entries.append(
        .init(what: .hmmPFN, search: .walked, address: Scene.page(first), values: hmm))
    }
  }

  mutating func ptes(
    _ values: [UInt64], first: UInt64, search: EntriesEvidence.Search = .walked
  ) {
    operation.entries.append(
      .init(what: .pte, search: search, address: Scene.page(first), values: values))
  }

  mutating func levels(_ page: UInt64, pmd: UInt64?, pte: UInt64? = nil) {
    var levels = LevelsEvidence(address: Scene.page(page), pagingLevels: 4)
    levels.pgd = 0x1067
    levels.pud = 0x2067
    levels.pmd = pmd
    levels.pte = pte
    operation.levels.append(levels)
  }

  mutating func range(_ function: String = "hmm_range_fault", _ errno: Errno = .fault) {
    operation.ranges.append(
      .init(
        function: function, timeNs: tick(), result: -Int64(errno.rawValue), start: Scene.base,
        end: Scene.page(16), defaultFlags: Scene.requestFault, rung: .fexit))
  }

  mutating func layer(_ function: String, _ result: Int64, _ arguments: [UInt64] = []) {
    operation.layers.append(
      .init(
        function: function, timeNs: tick(), result: result,
        arguments: arguments + Array(repeating: 0, count: max(0, 6 - arguments.count)), rung: .fexit
      ))
  }

  /// What stands between HMM and the verb.
  mutating func outward(_ errno: Errno = .fault) {
    if traits.faultsOutsideWalk {
      range("hmm_range_fault_locked", errno)
      range("hmm_range_fault_unlocked_timeout", errno)
    } else {
      range("hmm_range_fault", errno)
    }
    layer("ib_umem_odp_map_dma_and_lock", -Int64(errno.rawValue), [1, Scene.base, 0x10000, 3, 1])
    if operation.kind == .adviseMR { layer("rxe_ib_advise_mr", -Int64(errno.rawValue)) }
  }

  mutating func umem(
    writable: Bool = true, isODP: Bool = true, pageShift: UInt32 = 12, length: UInt64 = 0x20_0000
  ) {
    var umem = UmemEvidence(function: "ib_umem_odp_map_dma_and_lock", timeNs: tick(), identity: 7)
    umem.region = AddressRange(start: Scene.base, length: length)
    umem.iova = Scene.base
    umem.writable = writable
    umem.isODP = isODP
    umem.pageShift = pageShift
    operation.umems.append(umem)
  }

  mutating func fault(_ result: UInt32, page: UInt64, witness: String = "dax_pte_fault_done") {
    operation.faults.append(
      .init(witness: witness, timeNs: tick(), address: Scene.page(page), result: result))
  }

  static func file(
    size: UInt64 = 0x20_0000, filesystem: String = "ext4", path: String = "/mnt/pmem/pool"
  ) -> MappingEvidence.File {
    .init(
      path: path, pathIsCut: false, inode: 13, size: size, filesystem: filesystem,
      blockDevice: "pmem0", filesystemMagic: 0xef53, device: 259 << 20, mode: 0o100644,
      inodeFlags: filesystem == "ext4" ? 1 << 13 : 0)
  }

  enum Memory { case fsdax, tmpfs, disk, anonymous, driver }

  /// The mapping of pages [first, first + count), by default of the whole MR.
  mutating func map(
    _ memory: Memory, _ flags: VMAFlags = [.read, .write], first: UInt64 = 0, count: UInt64 = 512,
    size: UInt64 = 0x20_0000, pageOffset: UInt64 = 0, at: UInt64? = nil
  ) {
    var all = flags
    if memory != .anonymous { all.insert(.shared) }
    var mapping = MappingEvidence(
      address: Scene.page(at ?? first), found: true, start: Scene.page(first),
      end: Scene.page(first + count), vmFlags: all.rawValue, pageOffset: pageOffset)
    mapping.isAnonymous = memory == .anonymous
    mapping.isFSDAX = memory == .fsdax
    switch memory {
    case .fsdax: mapping.file = Scene.file(size: size)
    case .disk: mapping.file = Scene.file(size: size, path: "/data/pool")
    case .tmpfs:
      mapping.file = Scene.file(size: size, filesystem: "tmpfs", path: "/dev/shm/buffer")
    case .anonymous, .driver: break
    }
    operation.mappings.append(mapping)
  }

  mutating func gap(_ page: UInt64, count: UInt64 = 1) {
    var gap = MappingEvidence(
      address: Scene.page(page), found: false, start: 0, end: 0, vmFlags: 0, pageOffset: 0)
    gap.previousEnd = Scene.page(page)
    gap.nextStart = Scene.page(page + count)
    operation.mappings.append(gap)
  }

  /// A pinned registration of the first `pages` pages that failed.
  static func pin(
    _ errno: Errno, on kernel: Kernel = .v612, access: UInt32 = 1, pages: UInt64 = 16,
    limit: UInt64 = .max, pinned: UInt64 = 0
  ) -> Scene {
    var scene = Scene(.regMR, errno, on: kernel)
    scene.operation.mr.access = access
    let function = kernel == .v72 || kernel == .v73 ? "__ib_umem_get_va" : "ib_umem_get"
    var umem = UmemEvidence(function: function, timeNs: 1, identity: 0)
    umem.pinnedPages = pinned
    umem.memlockLimit = limit
    umem.access = access
    scene.operation.umems.append(umem)
    scene.layer(
      function, -Int64(errno.rawValue), [9, Scene.base, pages * 4096, UInt64(access)])
    return scene
  }
}
