// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Diagnosis

/// What is said where the kernel skipped programs while an operation ran: as much as the others saw.
@Suite struct SkippedProgramsTests {
  private static let map: FunctionName = "ib_umem_odp_map_dma_and_lock"
  private static let verb: FunctionName = "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"
  private static let walk: Set<FunctionName> = ["hmm_vma_walk_test", "hmm_vma_walk_pmd"]
  private static let ranges: Set<FunctionName> = [
    "hmm_range_fault", "hmm_range_fault_locked", "hmm_range_fault_unlocked_timeout",
  ]

  private func diagnosis(_ scene: Scene, missed: MissedRuns) throws -> Diagnosis {
    try #require(
      diagnose(scene.operation, traits: scene.traits, watched: Watched.all, missed: missed))
  }

  /// Advice that the driver refused before anything was mapped.
  private func refused(mapEntrySeen: Bool) -> Scene {
    .make(.adviseMR, .inval, on: .v73) {
      $0.operation.root = Self.verb
      $0.operation.startNs = 1
      $0.operation.mr = MemoryRegion()
      $0.operation.mapEntrySeen = mapEntrySeen
      $0.operation.lkey = 7
      $0.layer("rxe_ib_advise_mr", -22, [9, 0, 1, 8, 1])
    }
  }

  @Test func nothingBelowAFunctionRanThatWasNotCalled() throws {
    let above = MissedRuns(evidence: Self.walk.union(Self.ranges))
    #expect(try diagnosis(refused(mapEntrySeen: false), missed: above).cause == "mr-key-invalid")
    // Its evidence alone was missed of other calls: without an umem it was not called.
    var missed = above
    missed.evidence.insert(Self.map)
    #expect(try diagnosis(refused(mapEntrySeen: false), missed: missed).cause == "mr-key-invalid")
    // A call of it may have been missed.
    missed.returns.insert(Self.map)
    #expect(try diagnosis(refused(mapEntrySeen: false), missed: missed).cause == "unknown")
    // Not where its entry would have been seen all the same.
    #expect(try diagnosis(refused(mapEntrySeen: true), missed: missed).cause == "mr-key-invalid")
    missed.entries.insert(Self.map)
    #expect(try diagnosis(refused(mapEntrySeen: true), missed: missed).cause == "unknown")
  }

  /// Neither a callback nor the range fault was seen: the range was looked at when the map function returned.
  private func late(_ change: (inout Scene) -> Void) -> Scene {
    .make(.adviseMR, .fault, on: .v73) {
      $0.operation.root = Self.verb
      $0.operation.startNs = 1
      $0.operation.advice = Advice(advice: 0, flags: 1, sgeCount: 1)
      $0.operation.request = AddressRange(start: Scene.base, length: 0x10000)
      change(&$0)
      $0.layer(Self.map, -14, [1, Scene.base, 0x10000, 1 << 62, 1])
      $0.umem()
      $0.layer("rxe_ib_advise_mr", -14, [9, 0, 1, 8, 1])
    }
  }

  private var allSkipped: MissedRuns { MissedRuns(evidence: Self.walk.union(Self.ranges)) }

  @Test func whatTheRangeIsAMomentLaterIsInferredFrom() throws {
    let scene = late { $0.map(.anonymous, [.write], first: 8, count: 1) }
    let found = try diagnosis(scene, missed: allSkipped)
    #expect(found.cause == "mapping-not-readable" && found.confidence == .inferred)
    #expect(found.page?.address == Scene.page(8))
    #expect(found.incomplete.contains("which function of the page walk refused was not seen"))
    let gap = try diagnosis(late { $0.gap(3) }, missed: allSkipped)
    #expect(gap.cause == "mapping-missing" && gap.confidence == .inferred)
  }

  @Test func whatLiesOutsideOfWhatWasToBeMappedIsNothing() throws {
    let behind = late { $0.map(.anonymous, [.write], first: 16, count: 1) }
    #expect(try diagnosis(behind, missed: allSkipped).cause == "unknown")
    // Nor is anything where the range is not in the umem: HMM was not asked.
    var outside = late { $0.map(.anonymous, [.write], first: 8, count: 1) }
    outside.operation.umems[0].region = AddressRange(start: Scene.base, length: 0x1000)
    #expect(try diagnosis(outside, missed: allSkipped).cause != "mapping-not-readable")
  }
}
