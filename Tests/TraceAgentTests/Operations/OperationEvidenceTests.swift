// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

/// Records to the model: every field where it belongs, and absent where its bit says so.
@Suite struct OperationEvidenceTests {
  private func evidence(_ events: Event..., hooks: HookNames = HookNames()) -> Operation {
    var operation = Operation(
      kind: .regMR, runner: .init(pid: 1, tid: 1, comm: ""), endNs: 0, result: 0)
    for event in events { operation.add(event, hooks: hooks) }
    return operation
  }

  @Test func operationWithAllFields() throws {
    let operation = try #require(Operation(SampleEvents.operation()))
    #expect(operation.kind == .adviseMR)
    #expect(operation.runner == .init(pid: 412, tid: 413, comm: "server-io"))
    #expect(operation.ownerPID == 412)
    #expect(operation.ownerComm == "server")
    #expect(operation.device == "rxe0")
    #expect(operation.startNs == 500)
    #expect(operation.endNs == 1_000)
    #expect(operation.result == -14)
    #expect(operation.failed)
    #expect(operation.mr.address == 0x7F10_C000_0000)
    #expect(operation.mr.length == 0x20_0000)
    #expect(operation.mr.iova == 0x1000)
    #expect(operation.mr.access == 0x43)
    #expect(operation.advice == Advice(advice: 1, flags: 1, sgeCount: 3))
    #expect(operation.request == AddressRange(start: 0x7F10_C000_3000, length: 0x2000))
    #expect(operation.lkey == 0x1234)
    #expect(operation.deviceHasODP == true)
    #expect(operation.driverHasAdvise == true)
    #expect(operation.deviceFlush == AccessFlags.flushPersistent.rawValue)
    #expect(operation.umemIdentity == 0xFFFF_8880_0000_1000)
  }

  @Test func absentIsNotZero() throws {
    var record = SampleEvents.operation(kind: MRT_OP_PREFETCH, has: 0)
    record.umem = 0
    record.lost = 4
    let operation = try #require(Operation(record))
    var expected = Operation(
      kind: .prefetch, runner: .init(pid: 412, tid: 413, comm: "server-io"), endNs: 1_000,
      result: -14)
    // Its beginning was not seen.
    expected.lost = 5
    expected.entryMissed = true
    #expect(operation == expected)

    record.has = MRT_HAS_CAPS | MRT_HAS_DRIVER_OPS
    record.device_caps = 0
    record.driver_ops = 0
    let incapable = try #require(Operation(record))
    #expect(incapable.deviceHasODP == false)
    #expect(incapable.driverHasAdvise == false)
    #expect(incapable.deviceFlush == nil)
  }

  @Test(arguments: [
    (MRT_OP_REG_MR, Operation.Kind.regMR, true), (MRT_OP_REREG_MR, .reregMR, true),
    (MRT_OP_ADVISE_MR, .adviseMR, true), (MRT_OP_PAGE_FAULT, .pageFault, false),
    (MRT_OP_PREFETCH, .prefetch, false),
  ])
  func ownerOfASystemCallIsItsRunner(
    record: mrt_operation_kind, kind: Operation.Kind, isOwner: Bool
  ) throws {
    let operation = try #require(Operation(SampleEvents.operation(kind: record, has: 0)))
    #expect(operation.kind == kind)
    #expect(operation.ownerPID == (isOwner ? 412 : nil))
    #expect(operation.ownerComm == (isOwner ? "server-io" : nil))
  }

  @Test func umem() {
    var all = UmemEvidence(
      function: "ib_umem_odp_get", timeNs: 1_000, identity: 0xFFFF_8880_0000_1000)
    let none = all
    all.region = AddressRange(start: 0x7F10_C000_0000, length: 0x20_0000)
    all.iova = 0x1000
    all.writable = true
    all.isODP = true
    all.pageShift = 12
    all.pinnedPages = 11
    all.memlockLimit = 65536
    all.mayLock = false
    all.access = 0x41
    all.ownerPID = 412
    #expect(evidence(.umem(SampleEvents.umem())).umems == [all])
    var record = SampleEvents.umem()
    record.flags |= MRT_UMEM_MAY_LOCK
    all.mayLock = true
    #expect(evidence(.umem(record)).umems == [all])
    record.flags = 0
    record.access = 0
    record.owner_pid = 0
    #expect(evidence(.umem(record)).umems == [none])
  }

  @Test func layerAndRange() {
    let operation = evidence(
      .layer(SampleEvents.layer()), .range(SampleEvents.range()),
      hooks: HookNames(symbols: [33: "renamed.isra.0"]))
    #expect(
      operation.layers == [
        LayerEvidence(
          function: "renamed", timeNs: 1_000, result: -14, arguments: [1, 2, 3, 4, 5, 6],
          rung: .fexit)
      ])
    #expect(
      operation.ranges == [
        RangeEvidence(
          function: "hmm_range_fault", timeNs: 1_000, result: -16, start: 0x1000, end: 0x5000,
          defaultFlags: 1 << 63, rung: .kprobe)
      ])
  }

  @Test func walk() {
    func walk(_ flags: UInt32) -> WalkEvidence? {
      evidence(.walk(SampleEvents.walk(flags: flags))).walks.first
    }
    var expected = WalkEvidence(
      function: "hmm_vma_walk_pmd", timeNs: 1_000, result: -14, start: 0x1000, end: 0x4000,
      hasVMA: true, entry: 0x8400_0000_2804_0267, rung: .fexit)
    #expect(walk(0) == expected)
    expected.last = 0x2000
    #expect(walk(MRT_WALK_HAS_LAST) == expected)
    expected.pendingEnd = 0x3000
    expected.requiredFault = 2
    #expect(walk(MRT_WALK_HAS_PENDING) == expected)
    expected.defaultFlags = 3 << 62
    expected.hasVMA = false
    #expect(walk(MRT_WALK_HAS_PENDING | MRT_WALK_HAS_DEFAULT | MRT_WALK_NO_VMA) == expected)
  }

  @Test func levels() {
    var expected = LevelsEvidence(address: 0x7F10_C000_3000, pagingLevels: 4)
    expected.timeNs = 1000
    expected.pgd = 0x11
    expected.pud = 0x33
    expected.pmd = 0x44
    expected.pte = 0x55
    #expect(evidence(.levels(SampleEvents.levels())).levels == [expected])
    var record = SampleEvents.levels()
    record.read = MRT_LEVEL_P4D
    var five = LevelsEvidence(address: 0x7F10_C000_3000, pagingLevels: 4)
    five.timeNs = 1000
    five.p4d = 0x22
    #expect(evidence(.levels(record)).levels == [five])
  }

  @Test func entries() {
    var record = SampleEvents.entries()
    var expected = EntriesEvidence(
      what: .pte, search: .walked, address: 0x7F10_C000_0000, values: record.values)
    expected.timeNs = 1000
    #expect(evidence(.entries(record)).entries == [expected])
    record.what = MRT_ENTRIES_HMM_PFN.rawValue
    record.search = UInt32(MRT_ENTRIES_FAULTED)
    let other = evidence(.entries(record)).entries.first
    #expect(other?.what == .hmmPFN)
    #expect(other?.search == .faulted)
    record.what = 3
    #expect(evidence(.entries(record)).entries == [])
    record.what = 1
    record.search = UInt32(MRT_ENTRIES_ACCEPTED)
    #expect(evidence(.entries(record)).entries == [])
  }

  @Test func mapping() throws {
    let record = SampleEvents.mapping()
    let mapping = try #require(evidence(.mapping(record)).mappings.first)
    #expect(mapping.address == record.address)
    #expect(mapping.found)
    #expect(mapping.start == record.start)
    #expect(mapping.end == record.end)
    #expect(mapping.vmFlags == 0xFB)
    #expect(mapping.pageOffset == 16)
    #expect(mapping.previousEnd == nil)
    #expect(mapping.nextStart == nil)
    #expect(mapping.isFSDAX)
    #expect(!mapping.isAnonymous)
    #expect(!mapping.isHugeTLB)
    #expect(
      mapping.file
        == MappingEvidence.File(
          path: "/mnt/pmem/pool", pathIsCut: false, inode: 12, size: 0x10_0000, filesystem: "ext4",
          blockDevice: "pmem0", filesystemMagic: 0xEF53, device: 0x0FD0_0000, mode: 0o100644,
          inodeFlags: 0x2000))
  }

  @Test func gapBetweenMappings() throws {
    let flags = MRT_MAPPING_HAS_PREV | MRT_MAPPING_HAS_NEXT
    let gap = try #require(
      evidence(.mapping(SampleEvents.mapping(flags: flags))).mappings.first)
    #expect(!gap.found)
    #expect(gap.previousEnd == 0x7000)
    #expect(gap.nextStart == 0x9000)
    #expect(gap.file == nil)
    let other = try #require(
      evidence(
        .mapping(SampleEvents.mapping(flags: MRT_MAPPING_ANON | MRT_MAPPING_HUGETLB))
      ).mappings.first)
    #expect(other.isAnonymous)
    #expect(other.isHugeTLB)
    #expect(!other.isFSDAX)
  }

  @Test func fault() {
    var expected = FaultEvidence(
      witness: "dax_pte_fault_done", timeNs: 1_000, address: 0x7F10_C000_4000, result: 2)
    #expect(evidence(.fault(SampleEvents.fault(flags: 0))).faults == [expected])
    expected.faultFlags = 0x81
    expected.inode = 12
    expected.pageOffset = 20
    expected.fileSize = 0x4000
    expected.error = -28
    #expect(evidence(.fault(SampleEvents.fault())).faults == [expected])
  }
}
