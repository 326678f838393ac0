// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

/// What records of refusals, folios and forks become, and what is known of registrations before.
@Suite struct RefusalEvidenceTests {
  private func failure(
    _ kind: mrt_operation_kind = MRT_OP_REG_MR, timeNs: UInt64 = 2_000, number: UInt64 = 7,
    change: (inout mrt_operation) -> Void = { _ in }
  ) -> Event {
    var record = SampleEvents.operation(
      kind: kind, header: SampleEvents.header(timeNs: timeNs, operation: number), result: -14)
    change(&record)
    return .operation(record)
  }

  private func registration(
    lkey: UInt32 = 0x1a2b, access: UInt32 = 0x03, pid: UInt32 = 4241, timeNs: UInt64 = 500,
    change: (inout mrt_operation) -> Void = { _ in }
  ) -> Event {
    var record = SampleEvents.operation(
      kind: MRT_OP_REG_MR, header: SampleEvents.header(timeNs: timeNs, operation: 1, tid: 99),
      result: 0)
    record.lkey = lkey
    record.access = access
    record.owner_pid = pid
    record.has |= MRT_HAS_LKEY | MRT_HAS_OWNER
    change(&record)
    return .operation(record)
  }

  private func last(_ events: Event...) throws -> Operation {
    try #require(Correlator.correlate(events).operations.last { $0.failed })
  }

  @Test func aFolio() throws {
    let operation = try last(.folio(SampleEvents.folio()), failure())
    let folio = try #require(operation.folios.first)
    #expect(folio.address == 0x7F10_C000_8000 && folio.frame == 0x21004)
    #expect(folio.zone == .movable && folio.state == .anonymous)
    #expect(folio.unexplained == 1 && folio.pins == nil)
    var record = SampleEvents.folio()
    record.has = 0
    let bare = try #require(try last(.folio(record), failure()).folios.first)
    #expect(bare.address == nil && bare.mappings == nil && bare.zone == nil)
    #expect(bare.unexplained == nil)
  }

  private static let killers: [(flags: UInt32, exitCode: UInt32, killer: RefusalEvidence.Killer)] =
    [
      (MRT_KILLED_SIGNAL, 9, .signal(9)), (MRT_KILLED_SIGNAL, 139, .signal(11)),
      (MRT_KILLED_SIGNAL, 0x300, .exit), (MRT_KILLED_EXEC, 0, .exec), (0, 0, .unknown),
      (MRT_KILLED_SIGNAL | MRT_KILLED_OOM, 9, .outOfMemory),
      (MRT_KILLED_SIGNAL | MRT_KILLED_OOM | MRT_KILLED_OOM_SEEN, 9, .host),
      (MRT_KILLED_OOM | MRT_KILLED_OOM_SEEN | MRT_KILLED_OOM_CGROUP, 9, .memoryCgroup),
    ]

  @Test(arguments: killers)
  func whatKills(_ flags: UInt32, _ exitCode: UInt32, _ killer: RefusalEvidence.Killer) throws {
    let record = SampleEvents.refusal(MRT_REFUSAL_KILLED, flags: flags, exitCode: exitCode)
    #expect(try last(.refusal(record), failure()).refusals.map(\.killer) == [killer])
  }

  @Test func aGroupsPathMayComeLater() throws {
    var correlator = Correlator()
    _ = correlator.add(.refusal(SampleEvents.refusal()))
    _ = correlator.add(failure())
    _ = correlator.add(SampleEvents.cgroup(path: "/box"))
    let refusal = try #require(correlator.finish().first?.refusals.first)
    #expect(refusal.what == .rdmaCgroup && refusal.cgroupPath == "/box")
    #expect(refusal.usage == 4 && refusal.limit == 4)
  }

  @Test func aRefusalOfALaterVersionSaysNothing() throws {
    var record = SampleEvents.refusal()
    record.what = 77
    #expect(try last(.refusal(record), failure()).refusals.isEmpty)
  }

  @Test func whatTheParentHadRegistered() throws {
    let forked = Event.forked(SampleEvents.forked())
    let operation = try last(registration(), forked, failure())
    let missing = try #require(operation.forked.first)
    #expect(missing.pid == 4241 && missing.comm == "parent" && missing.generation == 1)
    #expect(missing.registration?.access == 0x03)
    // Somebody else's, one after the fork, one beside.
    #expect(try last(registration(pid: 4240), forked, failure()).forked[0].registration == nil)
    #expect(try last(registration(timeNs: 950), forked, failure()).forked[0].registration == nil)
    let beside = registration { $0.mr_address = 0x7F20_0000_0000 }
    #expect(try last(beside, forked, failure()).forked[0].registration == nil)
  }

  @Test func whatTheKeyIsOf() throws {
    let pid = SampleEvents.header().pid
    func advice(_ lkey: UInt32 = 0x1a2b) -> Event {
      failure(MRT_OP_ADVISE_MR) {
        $0.lkey = lkey
        $0.start_ns = 1_500
        $0.has |= MRT_HAS_LKEY
      }
    }
    let pinned = registration(pid: pid)
    #expect(try last(pinned, advice()).keyRegistration?.access == 0x03)
    #expect(try last(pinned, advice(0x1a2c)).keyRegistration == nil)
    #expect(try last(registration(pid: 7), advice()).keyRegistration == nil)
    // The key's newest MR counts.
    let newer = registration(access: 0x43, pid: pid, timeNs: 600)
    #expect(try last(pinned, newer, advice()).keyRegistration?.access == 0x43)
    let elsewhere = registration(pid: pid) { $0.device.4 = UInt8(ascii: "7") }
    #expect(try last(elsewhere, advice()).keyRegistration == nil)
  }
}
