// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

/// What is advised where no cause is proved: what would have helped, and the doctor only where it has an answer.
@Suite struct UnknownAdviceTests {
  static let everything: Set<FunctionName> = [
    "ib_uverbs_reg_mr", "ib_uverbs_rereg_mr", "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR",
    "rxe_reg_user_mr", "rxe_ib_advise_mr", "ib_umem_odp_get", "ib_umem_odp_map_dma_and_lock",
    "ib_umem_get", "hmm_range_fault", "hmm_vma_walk_test", "hmm_vma_walk_hole", "hmm_vma_walk_pmd",
    "dax_pte_fault_done", "hugetlb_fault",
  ]

  private func advice(
    _ scene: Scene, watched: Set<FunctionName>? = everything, missed: MissedRuns = [],
    sight: Sight? = nil
  ) throws -> [String] {
    let diagnosis = try #require(
      diagnose(
        scene.operation, traits: scene.traits, watched: watched, missed: missed, sight: sight))
    try #require(diagnosis.cause == "unknown")
    return diagnosis.advice
  }

  private func sight(
    _ missing: [FunctionName: Unwatched] = [:], devices: [Sight.Device] = []
  ) -> Sight {
    Sight(
      hooks: Self.everything.map {
        .init($0, missing[$0].map { Sight.Hook.State.missing($0) } ?? .attached)
      }, devices: devices)
  }

  @Test func whereAllIsThereItIsToBeReported() throws {
    let advice = try advice(Scene(.reregMR, .inval), sight: sight())
    #expect(advice.count == 1)
    let text = try #require(advice.first)
    for word in [
      "report it", "6.1.192-fsdax-2021", "mrtrace export DIR --to jsonl", "--detail layers",
    ] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(!text.contains("doctor"))
  }

  @Test func aFaultWithoutItsCodeAsksForFaultCodes() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_hole", first: 3, count: 1)
    scene.map(.fsdax, at: 2)
    scene.outward()
    let advice = try advice(scene)
    #expect(advice.contains { $0.contains("--fault-codes") })
    #expect(!advice.contains { $0.contains("doctor") })
    let again = try self.advice(scene, watched: Self.everything.union(["handle_mm_fault"]))
    #expect(!again.contains { $0.contains("--fault-codes") })
  }

  @Test func lostRecordsAskForRoom() throws {
    var scene = Scene(.reregMR, .inval)
    scene.operation.lost = 2
    let advice = try advice(scene)
    #expect(advice.first?.contains("2 records") == true && advice[0].contains("--ring-size"))
  }

  @Test func skippedRunsAskForFewerThreads() throws {
    let advice = try advice(Scene(.adviseMR, .fault), missed: ["hmm_vma_walk_pmd"])
    #expect(advice.contains { $0.contains("hmm_vma_walk_pmd") && $0.contains("more CPUs") })
    #expect(!advice.contains { $0.contains("--ring-size") })
    var scene = Scene(.adviseMR, .fault)
    scene.operation.lost = 1
    scene.operation.entryMissed = true
    let entry = try self.advice(scene)
    #expect(entry.contains { $0.contains("the hook where it began") })
    #expect(!entry.contains { $0.contains("--ring-size") })
  }

  @Test func whatBeganBeforeIsToBeRecordedFromTheStart() throws {
    var scene = Scene(.reregMR, .inval)
    scene.operation.beganBeforeRecording = true
    #expect(try advice(scene).contains { $0.contains("mrtrace record -- COMMAND") })
  }

  @Test func aHookThatIsNotThereIsNamed() throws {
    let scene = Scene(.adviseMR, .fault)
    let lacking: FunctionName = "ib_umem_odp_map_dma_and_lock"
    let doctor = try advice(
      scene, watched: Self.everything.subtracting([lacking]),
      sight: sight([lacking: .notAttached("EBUSY")]))
    #expect(
      doctor.contains {
        $0.contains("\(lacking) (it could not be attached: EBUSY)") && $0.contains("mrtrace doctor")
      })
    let forced = try advice(
      scene, watched: Self.everything.subtracting([lacking]),
      sight: sight([lacking: .forcedOff]))
    #expect(forced.contains { $0.contains("without that --no-hook") })
    #expect(!forced.contains { $0.contains("doctor") })
    // one name of two is enough
    #expect(
      try !advice(
        scene,
        watched: Self.everything.subtracting(["hmm_range_fault"]).union(["hmm_range_fault_locked"])
      ).contains { $0.contains("Not watched") })
  }

  @Test func aDriverThatIsNotWatchedIsNamed() throws {
    var scene = Scene(.reregMR, .inval)
    scene.operation.device = "siw0"
    let devices: [Sight.Device] = [
      .init(name: "rxe0", driver: "rdma_rxe"), .init(name: "siw0", driver: "siw"),
    ]
    let advice = try advice(scene, sight: sight(devices: devices))
    #expect(advice.contains { $0.contains("driver siw (of siw0)") && $0.contains("module siw +p") })
    scene.operation.device = "rxe0"
    #expect(try self.advice(scene, sight: sight(devices: devices)).count == 1)
  }
}
