// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// Diagnoses as the rules would make them.
enum DiagnosisSamples {
  static let base: UInt64 = 0x7f10_c000_0000
  static let specialDevmap = [
    "PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SPECIAL", "DEVMAP", "NX",
  ]

  static func file(size: UInt64 = 2_097_152) -> MappingEvidence.File {
    .init(
      path: "/mnt/pmem/pool", pathIsCut: false, inode: 13, size: size, filesystem: "ext4",
      blockDevice: "pmem0", filesystemMagic: 0xef53, device: 259 << 20, mode: 0o100644,
      inodeFlags: 1 << 13)
  }

  static func mapping(
    at address: UInt64 = base, flags: UInt64 = 1 | 2 | 8, file: MappingEvidence.File? = file(),
    fsdax: Bool = true
  ) -> MappingEvidence {
    var mapping = MappingEvidence(
      address: address, found: true, start: base, end: base + 0x20_0000, vmFlags: flags,
      pageOffset: 0)
    mapping.file = file
    mapping.isFSDAX = fsdax
    mapping.isAnonymous = file == nil
    return mapping
  }

  static func operation(_ kind: Operation.Kind, result: Int64) -> Operation {
    var operation = Operation(
      kind: kind, runner: .init(pid: 412, tid: 412, comm: "server"), endNs: 1_234_567 + 48_211,
      result: result)
    operation.startNs = 1_234_567
    operation.device = "rxe0"
    operation.mr.address = base
    operation.mr.length = 2_097_152
    operation.mr.iova = base
    operation.mr.access = 0x43
    return operation
  }

  /// The example of the contract.
  static var specialPage: Diagnosis {
    var operation = operation(.adviseMR, result: -14)
    operation.advice = Advice(advice: 1, flags: 1, sgeCount: 1)
    operation.request = AddressRange(start: base, length: 262_144)
    operation.lkey = 0x1a2b
    operation.kernelStack = [
      StackFrame(address: 0xffff_ffff_8123_4567, name: "hmm_vma_walk_pmd+0x1f"),
      StackFrame(address: 0xffff_ffff_8123_9999, name: "walk_pgd_range+0x3b1"),
      StackFrame(address: 0xffff_ffff_8123_aaaa, name: nil),
    ]
    var diagnosis = Diagnosis(operation: operation, errno: .fault, delivered: .syscall)
    diagnosis.chain = [
      .init(function: "hmm_vma_handle_pte", result: .errno(.fault), seen: .replayed),
      .init(function: "hmm_vma_walk_pmd", result: .errno(.fault), seen: .direct),
      .init(function: "hmm_range_fault", result: .errno(.fault), seen: .direct),
      .init(function: "ib_umem_odp_map_dma_and_lock", result: .errno(.fault), seen: .direct),
    ]
    diagnosis.cause = "pte-special-devmap"
    diagnosis.confidence = .proved
    var page = Diagnosis.Page(
      address: base + 0x3000, level: "pte", raw: 0x8400_0000_2804_0267, flags: specialDevmap)
    let plain = ["PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "NX"]
    page.neighbours = [
      .init(address: base + 0x1000, raw: 0x8000_0000_2803_e067, flags: plain),
      .init(address: base + 0x2000, raw: 0x8000_0000_2803_f067, flags: plain),
      .init(address: base + 0x3000, raw: 0x8400_0000_2804_0267, flags: specialDevmap),
      .init(address: base + 0x4000, raw: 0, flags: []),
    ]
    diagnosis.page = page
    diagnosis.mapping = mapping(at: base + 0x3000)
    diagnosis.fileOffset = 12288
    diagnosis.summary =
      "advise_mr failed with EFAULT: page 0x7f10c0003000 of /mnt/pmem/pool (fsdax, offset 12288) "
      + "is mapped by a PTE with SPECIAL and DEVMAP set, and this kernel's hmm_vma_handle_pte() takes "
      + "every special PTE for one without a struct page"
    diagnosis.advice = [
      "Run a kernel with commit 4b42fb213678: 5.15, 5.14.6, 5.13.19, 5.10.67 or later.",
      "Until then map the file with 2 MiB pages: they do not reach this check.",
    ]
    diagnosis.references = ["mm/hmm.c: hmm_vma_handle_pte()", "commit 4b42fb213678"]
    return diagnosis
  }

  /// A write by RDMA into a hole, run by a kernel worker.
  static var missingMapping: Diagnosis {
    var operation = operation(.pageFault, result: -14)
    operation.runner = .init(pid: 77, tid: 77, comm: "kworker/u8:1")
    operation.ownerPID = 412
    operation.ownerComm = "server"
    operation.request = AddressRange(start: base + 0x5000, length: 4096)
    var diagnosis = Diagnosis(operation: operation, errno: .fault, delivered: .completion)
    diagnosis.chain = [
      .init(function: "hmm_vma_walk_hole", result: .errno(.fault), seen: .direct),
      .init(function: "rxe_odp_map_range_and_lock", result: .errno(.fault), seen: .direct),
    ]
    diagnosis.cause = "mapping-missing"
    diagnosis.confidence = .proved
    diagnosis.page = Diagnosis.Page(address: base + 0x5000, level: nil, raw: nil, flags: [])
    var gap = MappingEvidence(
      address: base + 0x5000, found: false, start: 0, end: 0, vmFlags: 0, pageOffset: 0)
    gap.previousEnd = base + 0x5000
    gap.nextStart = base + 0x6000
    diagnosis.mapping = gap
    diagnosis.summary = "page_fault failed with EFAULT: nothing is mapped at 0x7f10c0005000"
    diagnosis.advice = ["Keep the memory mapped until the MR is deregistered."]
    return diagnosis
  }

  static var beyondEOF: Diagnosis {
    var operation = operation(.prefetch, result: -14)
    operation.runner = .init(pid: 80, tid: 80, comm: "kworker/u8:2")
    operation.ownerPID = 500
    operation.startNs = nil
    var diagnosis = Diagnosis(operation: operation, errno: .fault, delivered: .discarded)
    diagnosis.chain = [
      .init(function: "dax_iomap_pte_fault", result: .word("VM_FAULT_SIGBUS"), seen: .direct),
      .init(function: "hmm_vma_fault", result: .errno(.fault), seen: .replayed),
    ]
    diagnosis.cause = "fault-beyond-eof"
    diagnosis.confidence = .inferred
    diagnosis.page = Diagnosis.Page(address: base + 0x3000, level: "pte", raw: 0, flags: [])
    diagnosis.mapping = mapping(at: base + 0x3000, file: file(size: 8192))
    diagnosis.fileOffset = 12288
    diagnosis.summary = "prefetch failed with EFAULT: the file is shorter than the range"
    diagnosis.advice = ["Give the file its size before registering it."]
    return diagnosis
  }

  static var pinnedFSDAX: Diagnosis {
    var operation = operation(.regMR, result: -95)
    operation.mr.access = 0x3
    operation.recoveredBy = "reg_mr with ON_DEMAND"
    var diagnosis = Diagnosis(operation: operation, errno: .opnotsupp, delivered: .syscall)
    diagnosis.chain = [.init(function: "ib_umem_get", result: .errno(.opnotsupp), seen: .direct)]
    diagnosis.cause = "pin-fsdax"
    diagnosis.confidence = .proved
    diagnosis.mapping = mapping()
    diagnosis.summary =
      "reg_mr failed with EOPNOTSUPP: a long-term pin of fsdax is refused by design"
    diagnosis.advice = ["Register with IBV_ACCESS_ON_DEMAND."]
    return diagnosis
  }

  /// Nothing proved, records lost, an errno that changed on its way, and every kind of evidence.
  static var unknown: Diagnosis {
    var operation = operation(.regMR, result: -22)
    operation.runner = .init(pid: 412, tid: 415, comm: "server")
    operation.lost = 2
    var umem = UmemEvidence(function: "ib_umem_odp_get", timeNs: 5, identity: 9)
    umem.region = AddressRange(start: base, length: 8192)
    umem.writable = true
    umem.isODP = true
    umem.pageShift = 12
    umem.memlockLimit = .max
    umem.pinnedPages = 3
    operation.umems = [umem]
    operation.layers = [
      LayerEvidence(
        function: "ib_umem_odp_map_dma_and_lock", timeNs: 4, result: -14, arguments: [base, 8192],
        rung: .fexit)
    ]
    operation.ranges = [
      RangeEvidence(
        function: "hmm_range_fault", timeNs: 3, result: -14, start: base, end: base + 0x2000,
        defaultFlags: 3 << 62, rung: .kprobe)
    ]
    var walk = WalkEvidence(
      function: "hmm_vma_walk_pmd", timeNs: 2, result: -14, start: base, end: base + 0x2000,
      hasVMA: true, entry: 0x10_0067, rung: .fexit)
    walk.last = base
    walk.requiredFault = 3
    operation.walks = [walk]
    var fault = FaultEvidence(witness: "handle_mm_fault", timeNs: 1, address: base, result: 2)
    fault.faultFlags = 0x81
    operation.faults = [fault]
    var levels = LevelsEvidence(address: base, pagingLevels: 4)
    levels.pgd = 0x1067
    levels.pte = 0
    operation.levels = [levels]
    operation.entries = [
      EntriesEvidence(
        what: .pte, search: .walked, address: base,
        values: [0x8000_0000_0100_0067, 0x8000_0000_0200_0067, 0, 0, 0x25])
    ]
    operation.mappings = [mapping(file: nil, fsdax: false)]
    operation.kernelStack =
      Array(repeating: StackFrame(address: 1, name: "walk+0x1"), count: 3)
      + (0..<9).map { StackFrame(address: $0, name: "frame\($0)+0x1") }
    operation.userStack = [StackFrame(address: 0x7f00, name: "libibverbs.so.1+0x1234")]
    var diagnosis = Diagnosis(operation: operation, errno: .inval, delivered: .syscall)
    diagnosis.chain = [
      .init(function: "hmm_vma_walk_pmd", result: .errno(.fault), seen: .direct),
      .init(function: "ib_umem_odp_map_dma_and_lock", result: .errno(.fault), seen: .direct),
    ]
    diagnosis.incomplete = operation.incomplete
    diagnosis.summary =
      "reg_mr failed with EINVAL; the deepest function that failed is hmm_vma_walk_pmd"
    return diagnosis
  }
}

extension DiagnosisSamples {
  static var doctor: DoctorReport {
    DoctorReport(
      release: "6.1.0-56-amd64", machine: "x86_64", status: .warn,
      verdict: "record works here, without the deciding check itself",
      checks: [
        .init(name: "privileges", status: .ok, detail: "root"),
        .init(
          name: "rdma_rxe", status: .warn,
          detail: "the module is not loaded, so that its functions cannot be watched yet",
          fix: "modprobe rdma_rxe"),
      ],
      hooks: [
        .init(
          hook: "hmm_range_fault", purpose: "the range that failed", symbol: "hmm_range_fault",
          module: nil, rung: .fexit),
        .init(
          hook: "pagefault_mr", purpose: "device page faults", symbol: "pagefault_mr.constprop.0",
          module: "mlx5_ib", rung: .kprobe),
        .init(
          hook: "hmm_vma_handle_pte", purpose: "the deciding check", symbol: nil, module: nil,
          rung: .replay, note: "inlined"),
        .init(
          hook: "rxe_reg_user_mr", purpose: "registration", symbol: nil, module: "rdma_rxe",
          rung: .later),
        .init(
          hook: "hmm_range_fault_locked", purpose: "the range that failed", symbol: nil,
          module: nil, rung: .absent, note: "7.3 and later"),
      ],
      devices: [
        .init(name: "rxe0", driver: "rdma_rxe", odp: .no, detail: "soft-RoCE has it from 6.16 on"),
        .init(name: "mlx5_0", driver: nil, odp: .unknown),
      ],
      mounts: [
        .init(
          device: "/dev/pmem0", mountPoint: "/mnt/pmem", filesystem: "ext4", dax: .yes,
          option: "dax=always")
      ])
  }
}
