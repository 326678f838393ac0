// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Operations
import Testing

/// Owners in their containers, and operations that were not asked for.
@Suite struct OwnerEvidenceTests {
  private func failure(timeNs: UInt64 = 2_000) -> Event {
    var record = SampleEvents.operation(header: SampleEvents.header(timeNs: timeNs))
    record.result = -14
    return .operation(record)
  }

  @Test func aFailureKnowsItsOwnerAndGroup() throws {
    let (operations, _) = Correlator.correlate([
      .owner(SampleEvents.owner()), SampleEvents.cgroup(), failure(),
    ])
    let owner = try #require(operations.first?.owner)
    #expect(owner.pids == [4242, 7])
    #expect(owner.containerPID == 7)
    #expect(owner.cgroup == 99)
    #expect(owner.cgroupPath == "/system.slice/server.service")
  }

  @Test func theInitialNamespaceIsNoContainer() throws {
    let (operations, _) = Correlator.correlate([
      .owner(SampleEvents.owner(pids: [4242], cgroup: 0)), SampleEvents.cgroup(0), failure(),
    ])
    let owner = try #require(operations.first?.owner)
    #expect(owner.containerPID == nil)
    #expect(owner.cgroup == nil && owner.cgroupPath == nil)
  }

  /// A recording is untrusted: so many levels no record has.
  @Test func moreLevelsThanThereAreAreCut() throws {
    var record = SampleEvents.owner()
    record.levels = .max
    let (operations, _) = Correlator.correlate([.owner(record), failure()])
    #expect(operations.first?.owner?.pids.count == 32)
  }

  @Test func evidenceOfAnOmittedOperationIsNotLeftOver() {
    let walk = Event.walk(SampleEvents.walk(header: SampleEvents.header()))
    let left = Correlator.correlate([walk])
    #expect(left.statistics.unfinishedRecords == 1)
    let omitted = Correlator.correlate([walk, .omitted(SampleEvents.omitted())])
    #expect(omitted.operations.isEmpty)
    #expect(omitted.statistics.unfinishedRecords == 0)
    #expect(omitted.statistics.unfinishedOperations == 0)
  }
}
