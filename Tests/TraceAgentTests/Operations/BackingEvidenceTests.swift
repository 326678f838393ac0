// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Operations
import Testing

/// What stands behind a mapping, from its record.
@Suite struct BackingEvidenceTests {
  private func evidence(has: UInt32) throws -> BackingEvidence {
    var record = SampleEvents.operation(header: SampleEvents.header(timeNs: 2_000))
    record.result = -14
    let backing = SampleEvents.backing(
      header: SampleEvents.header(hook: MRT_HOOK_UMEM_GET), has: has)
    let (operations, _) = Correlator.correlate([.backing(backing), .operation(record)])
    return try #require(operations.first?.backings.first)
  }

  @Test func everyFieldHasItsPlace() throws {
    let found = try evidence(has: 0xff)
    #expect(found.function == "ib_umem_get")
    #expect(found.address == 0x7F10_C000_3000 && found.identity == 0xFFFF_8880_0000_2000)
    #expect(found.device == 8_388_609)
    #expect(found.writes == .init(pageMkwrite: true, pfnMkwrite: false, canWriteBack: true))
    #expect(found.blocks == .init(max: 64, used: 63))
    var pool = BackingEvidence.Pool(
      pageSize: 2 << 20, total: 5, free: 4, reserved: 3, surplus: 2, overcommit: 1)
    pool.isReserveOwner = true
    #expect(found.pool == pool)
    #expect(found.subpool == .init(max: -1, used: 6))
    #expect(found.group == .init(number: 70, usage: 512, max: 1024))
    #expect(found.groupReserved == .init(number: 71, usage: 513, max: 1025))
    #expect(found.path == .init(text: "/upper/f", isCut: false))
  }

  /// Absent is not zero.
  @Test func whatWasNotReadIsNotThere() throws {
    let found = try evidence(has: 0)
    #expect(found.writes == nil && found.blocks == nil && found.pool == nil)
    #expect(found.subpool == nil && found.group == nil && found.groupReserved == nil)
    #expect(found.path == nil && found.device == nil)
  }
}
