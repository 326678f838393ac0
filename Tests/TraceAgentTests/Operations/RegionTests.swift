// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

/// Page faults and prefetches get from the registration of their MR what they did not see
/// themselves.
@Suite struct RegionTests {
  private let umem: UInt64 = 0xFFFF_8880_0000_1000
  private static let all: UInt32 = 0xFFF

  private func registration(
    kind: mrt_operation_kind = MRT_OP_REG_MR, result: Int64 = 0, access: UInt32 = 0x47,
    has: UInt32 = all, change: (inout mrt_operation) -> Void = { _ in }
  ) -> Event {
    var record = SampleEvents.operation(kind: kind, result: result, has: has)
    record.access = access
    change(&record)
    return .operation(record)
  }

  /// A fault in a worker that knows the umem and the owner only.
  private func fault(
    timeNs: UInt64 = 2_000, change: (inout mrt_operation) -> Void = { _ in }
  ) -> Event {
    var record = SampleEvents.operation(
      kind: MRT_OP_PAGE_FAULT,
      header: SampleEvents.header(timeNs: timeNs, operation: 99, pid: 30, tid: 30),
      has: MRT_HAS_OWNER)
    record.owner_pid = 412
    change(&record)
    return .operation(record)
  }

  private func region(after events: Event..., fault: Event) -> MemoryRegion? {
    var correlator = Correlator()
    for event in events { _ = correlator.add(event) }
    return correlator.add(fault).last?.mr
  }

  @Test func faultsKnowTheirRegion() {
    var expected = MemoryRegion()
    #expect(region(fault: fault()) == expected)
    expected.address = 0x7F10_C000_0000
    expected.length = 0x20_0000
    expected.iova = 0x1000
    expected.access = 0x47
    #expect(region(after: registration(), fault: fault()) == expected)
    var correlator = Correlator()
    _ = correlator.add(registration())
    #expect(correlator.add(fault()).last?.device == "rxe0")
  }

  @Test func whatTheFaultSawItselfIsKept() {
    let region = region(
      after: registration(),
      fault: fault {
        $0.has |= MRT_HAS_IOVA | MRT_HAS_ACCESS
        $0.mr_iova = 5
        $0.access = 1
      })
    #expect(region?.iova == 5)
    #expect(region?.access == 1)
    #expect(region?.address == 0x7F10_C000_0000)
  }

  @Test func failedRegistrationsTeachNothing() {
    var correlator = Correlator()
    _ = correlator.add(registration(result: -14))
    #expect(correlator.add(fault()).last?.mr == MemoryRegion())
  }

  @Test func aNewerRegistrationReplaces() {
    let region = region(
      after: registration(), registration(access: 0x41), fault: fault())
    #expect(region?.access == 0x41)
  }

  @Test func aReleasedUmemIsForgotten() {
    let release = Event.layer(
      SampleEvents.layer(
        header: SampleEvents.header(hook: MRT_HOOK_ODP_RELEASE, operation: 0), argument: umem))
    #expect(region(after: registration(), release, fault: fault()) == MemoryRegion())
  }

  /// Seen in a storm: the registration of the umem's next owner had been missed, and the advice names another key.
  @Test func anotherKeyIsAnotherRegion() {
    let other = fault {
      $0.has |= MRT_HAS_LKEY
      $0.lkey = 0x1CDE2
    }
    #expect(region(after: registration { $0.lkey = 0x1A1EF }, fault: other) == MemoryRegion())
    #expect(region(after: registration { $0.lkey = 0x1CDE2 }, fault: other)?.iova == 0x1000)
  }

  /// The address was reused for an MR whose registration was not seen.
  @Test func contradictionsAreNotUsed() {
    #expect(
      region(after: registration(), fault: fault { $0.owner_pid = 7 }) == MemoryRegion())
    let other = region(
      after: registration(),
      fault: fault {
        $0.has |= MRT_HAS_MR
        $0.mr_length = 0x1000
      })
    #expect(other?.access == nil)
    var umem = SampleEvents.umem(header: SampleEvents.header(operation: 99, pid: 30, tid: 30))
    umem.address = 0x1234_5000
    #expect(region(after: registration(), .umem(umem), fault: fault()) == MemoryRegion())
    umem.address = 0x7F10_C000_0000
    #expect(region(after: registration(), .umem(umem), fault: fault())?.access == 0x47)
  }

  @Test func reregistrationChangesWhatItSays() {
    // New access, same umem: the range still holds.
    let changed = region(
      after: registration(),
      registration(
        kind: MRT_OP_REREG_MR, access: 0x41, has: MRT_HAS_ACCESS | MRT_HAS_OWNER | MRT_HAS_DEVICE),
      fault: fault())
    #expect(changed?.access == 0x41)
    #expect(changed?.address == 0x7F10_C000_0000)
    // A new umem: the old one is gone.
    let moved = registration(kind: MRT_OP_REREG_MR) { $0.umem = 0xFFFF_8880_0000_2000 }
    #expect(region(after: registration(), moved, fault: fault()) == MemoryRegion())
    // Some MR of the process has changed: nothing is sure any more.
    let unknown = registration(kind: MRT_OP_REREG_MR) { $0.umem = 0 }
    #expect(region(after: registration(), unknown, fault: fault()) == MemoryRegion())
    // One that failed changed nothing.
    let failed = registration(kind: MRT_OP_REREG_MR, result: -22) { $0.umem = 0 }
    #expect(region(after: registration(), failed, fault: fault())?.access == 0x47)
  }

  @Test func theTableIsBounded() {
    var table = RegionTable(limit: 10)
    for umem in 1...100 as ClosedRange<UInt64> {
      var operation = Operation(
        kind: .regMR, runner: .init(pid: 1, tid: 1, comm: ""), endNs: umem, result: 0)
      operation.umemIdentity = umem
      table.learn(from: operation)
      #expect(table.count <= 10)
    }
  }
}
