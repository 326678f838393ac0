// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

/// A failed registration that the same thread mends by its next operation.
@Suite struct RecoveryTests {
  private func operation(
    _ kind: mrt_operation_kind = MRT_OP_REG_MR, timeNs: UInt64, result: Int64,
    access: UInt32 = 0x07, tid: UInt32 = 413, number: UInt64 = 1,
    change: (inout mrt_operation) -> Void = { _ in }
  ) -> Event {
    var record = SampleEvents.operation(
      kind: kind,
      header: SampleEvents.header(timeNs: timeNs, operation: number, tid: tid), result: result)
    record.access = access
    change(&record)
    return .operation(record)
  }

  private var pinFailed: Event { operation(timeNs: 1_000, result: -95) }

  private func recovery(_ events: Event...) -> [String?] {
    Correlator.correlate(events).operations.map(\.recoveredBy)
  }

  private func followed(_ events: Event...) -> [String?] {
    let operations = Correlator.correlate(events).operations
    #expect(operations.allSatisfy { $0.recoveredBy == nil })
    return operations.map(\.followedBy)
  }

  @Test func registeredAgainWithODP() {
    var correlator = Correlator()
    #expect(correlator.add(pinFailed).isEmpty)
    let both = correlator.add(operation(timeNs: 2_000, result: 0, access: 0x47))
    #expect(both.map(\.result) == [-95, 0])
    #expect(both.map(\.recoveredBy) == ["reg_mr with ON_DEMAND", nil])
  }

  @Test func otherCures() {
    #expect(recovery(pinFailed, operation(timeNs: 2_000, result: 0)) == ["reg_mr", nil])
    let onDemandFailed = operation(timeNs: 1_000, result: -95, access: 0x47)
    #expect(
      recovery(onDemandFailed, operation(timeNs: 2_000, result: 0))
        == ["reg_mr without ON_DEMAND", nil])
    // More than was asked for, of memory and of rights; what is no right may be left out.
    let more = operation(timeNs: 2_000, result: 0, access: 0x0f) {
      $0.mr_address -= 0x1000
      $0.mr_length += 0x2000
    }
    #expect(recovery(pinFailed, more) == ["reg_mr", nil])
    let whole = operation(timeNs: 2_000, result: 0, access: 0x47) {
      $0.mr_address = 0
      $0.mr_length = .max
    }
    #expect(recovery(pinFailed, whole) == ["reg_mr with ON_DEMAND", nil])
    let hints = operation(timeNs: 1_000, result: -95, access: 0x1000a7)
    #expect(recovery(hints, operation(timeNs: 2_000, result: 0)) == ["reg_mr", nil])
  }

  /// A registration over a part of the range, or with fewer rights, leaves the failure what it is.
  @Test func whatFollowsAndMendsNothing() {
    let header = operation(timeNs: 2_000, result: 0) { $0.mr_length = 0x1000 }
    #expect(followed(pinFailed, header) == ["reg_mr of 4096 of the 2097152 bytes", nil])
    let lacksTheLast = operation(timeNs: 2_000, result: 0, access: 0x47) { $0.mr_length -= 1 }
    #expect(
      followed(pinFailed, lacksTheLast)
        == ["reg_mr with ON_DEMAND, of 2097151 of the 2097152 bytes", nil])
    let lacksTheFirst = operation(timeNs: 2_000, result: 0) { $0.mr_address += 1 }
    #expect(followed(pinFailed, lacksTheFirst) == ["reg_mr of 2097151 of the 2097152 bytes", nil])
    // A range that shares only its last byte.
    let last = operation(timeNs: 2_000, result: 0) { $0.mr_address += 0x1F_FFFF }
    #expect(followed(pinFailed, last) == ["reg_mr of 1 of the 2097152 bytes", nil])
    let weaker = operation(timeNs: 2_000, result: 0, access: 0x01)
    #expect(followed(pinFailed, weaker) == ["reg_mr without REMOTE_WRITE and REMOTE_READ", nil])
    let both = operation(timeNs: 2_000, result: 0, access: 0x03) { $0.mr_length = 1 }
    #expect(
      followed(pinFailed, both) == ["reg_mr, of 1 of the 2097152 bytes, without REMOTE_READ", nil])
    let unknown = operation(timeNs: 2_000, result: 0) { $0.has &= ~MRT_HAS_ACCESS }
    #expect(followed(pinFailed, unknown) == ["reg_mr with rights that are not known", nil])
    // The halves, one after the other: the second is not looked at.
    let low = operation(timeNs: 2_000, result: 0, number: 2) { $0.mr_length = 0x10_0000 }
    let high = operation(timeNs: 3_000, result: 0, number: 3) {
      $0.mr_address += 0x10_0000
      $0.mr_length = 0x10_0000
    }
    #expect(followed(pinFailed, low, high) == ["reg_mr of 1048576 of the 2097152 bytes", nil, nil])
    // Of another device: nothing to do with it.
    let elsewhere = operation(timeNs: 2_000, result: 0) { $0.device.4 = UInt8(ascii: "7") }
    #expect(followed(pinFailed, elsewhere) == [nil, nil])
    #expect(recovery(pinFailed, elsewhere) == [nil, nil])
  }

  @Test func noCures() {
    let failed = operation(timeNs: 2_000, result: -14, access: 0x47)
    #expect(recovery(pinFailed, failed) == [nil, nil])
    let beside = operation(timeNs: 2_000, result: 0) { $0.mr_address += 0x20_0000 }
    #expect(recovery(pinFailed, beside) == [nil, nil])
    let below = operation(timeNs: 2_000, result: 0) { $0.mr_address -= 0x20_0000 }
    #expect(recovery(pinFailed, below) == [nil, nil])
    let otherThread = operation(timeNs: 2_000, result: 0, tid: 999)
    #expect(recovery(pinFailed, otherThread) == [nil, nil])
    let unknownRange = operation(timeNs: 2_000, result: 0) { $0.has &= ~MRT_HAS_MR }
    #expect(recovery(pinFailed, unknownRange) == [nil, nil])
    let advice = operation(MRT_OP_ADVISE_MR, timeNs: 1_500, result: 0)
    let good = operation(timeNs: 2_000, result: 0)
    #expect(recovery(pinFailed, advice, good) == [nil, nil, nil])
    let late = operation(timeNs: 3_000_000_000, result: 0) { $0.start_ns = 2_000_000_000 }
    #expect(recovery(pinFailed, late) == [nil, nil])
  }

  @Test func aChainOfFailures() {
    let second = operation(timeNs: 2_000, result: -14, number: 2)
    let good = operation(timeNs: 3_000, result: 0, access: 0x47, number: 3)
    #expect(recovery(pinFailed, second, good) == [nil, "reg_mr with ON_DEMAND", nil])
  }

  @Test func itWaitsNoLongerThanItMust() {
    var correlator = Correlator()
    #expect(correlator.add(pinFailed).isEmpty)
    #expect(correlator.advance(to: 1_000_001_000).isEmpty)
    #expect(correlator.advance(to: 1_000_001_001).map(\.result) == [-95])
    #expect(correlator.finish().isEmpty)
    correlator = Correlator()
    #expect(correlator.add(pinFailed).isEmpty)
    #expect(correlator.finish().map(\.result) == [-95])
    // Other failures do not wait.
    #expect(correlator.add(operation(MRT_OP_ADVISE_MR, timeNs: 9_000, result: -14)).count == 1)
  }

  @Test func lateEvidenceFindsAFailureThatWaits() {
    var correlator = Correlator()
    _ = correlator.add(pinFailed)
    _ = correlator.add(.walk(SampleEvents.walk(header: SampleEvents.header(operation: 1))))
    #expect(correlator.finish().map { $0.walks.count } == [1])
  }
}
