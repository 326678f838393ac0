// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Diagnosis

/// Evidence of one operation must fit together; what does not is another's.
@Suite struct FitTests {
  private static let verb = "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"

  /// An advice that HMM refused, as it is recorded.
  private static func advice(_ errno: Errno = .fault) -> Scene {
    .make(.adviseMR, errno, on: .v72) {
      $0.operation.root = verb
      $0.operation.startNs = 1
      $0.operation.advice = Advice(advice: 0, flags: 1, sgeCount: 1)
      $0.operation.request = AddressRange(start: Scene.base, length: 0x10000)
      $0.operation.lkey = 7
      $0.walk("hmm_vma_walk_test", errno)
      $0.map(.driver, [.read, .write, .io])
      $0.range("hmm_range_fault", errno)
      $0.layer(
        "ib_umem_odp_map_dma_and_lock", -Int64(errno.rawValue), [1, Scene.base, 0x10000, 1, 1])
      $0.umem()
      $0.layer("rxe_ib_advise_mr", -Int64(errno.rawValue), [9, 0, 1, 8, 1])
    }
  }

  private func diagnosis(
    _ scene: Scene, missed: MissedRuns = []
  ) throws -> Diagnosis {
    try #require(
      diagnose(scene.operation, traits: scene.traits, watched: Watched.all, missed: missed))
  }

  @Test func wholeChainsAreProved() throws {
    let found = try diagnosis(Self.advice())
    #expect(found.cause == "mapping-device" && found.confidence == .proved)
    #expect(found.incomplete.isEmpty)
    #expect(found.operation == Self.advice().operation)
  }

  /// EINVAL at the verb, EPERM at the driver, EFAULT in HMM: three calls, of which nothing is known but the last one's
  /// errno.
  @Test func errnosThatDoNotFollowAreOfOtherCalls() throws {
    var scene = Self.advice()
    scene.operation.result = -22
    scene.operation.endNs = 212_000_000
    scene.operation.layers[scene.operation.layers.count - 1].result = -1
    for missed in [[], [Self.verb]] as [MissedRuns] {
      let found = try diagnosis(scene, missed: missed)
      #expect(found.cause == "unknown" && found.confidence == .unknown)
      #expect(found.chain.map(\.function) == [Self.verb])
      #expect(found.chain.map(\.result) == [.errno(.inval)])
      #expect(found.incomplete.contains { $0.contains("another call") })
      // What the dead call was asked for is not shown either.
      #expect(found.operation.request == nil && found.operation.lkey == nil && found.page == nil)
    }
  }

  @Test func anOperationWhoseOwnRunsWereMissedIsNotProved() throws {
    let found = try diagnosis(Self.advice(), missed: [Self.verb])
    #expect(found.cause == "mapping-device" && found.confidence == .inferred)
    #expect(found.incomplete.count == 1)
    // It may have begun later.
    #expect(found.operation.startNs == nil)
    // What the driver was asked for is what the verb was.
    #expect(found.operation.request != nil)
    // That its evidence alone was missed says nothing of its beginning.
    let scene = Self.advice()
    let other = diagnose(
      scene.operation, traits: scene.traits, watched: Watched.all,
      missed: MissedRuns(evidence: [Self.verb]))
    #expect(other?.confidence == .proved)
    // Neither does one end alone: the next call would not have begun unseen, or this one not ended so.
    for missed in [MissedRuns(entries: [Self.verb]), MissedRuns(returns: [Self.verb])] {
      let other = diagnose(
        scene.operation, traits: scene.traits, watched: Watched.all, missed: missed)
      #expect(other?.confidence == .proved)
    }
  }

  @Test func ofSeveralCallsTheLastIsKept() throws {
    var scene = Self.advice()
    let before = scene.operation
    let later = Scene.make(.adviseMR, .fault, on: .v72) {
      $0.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
      $0.gap(5)
      $0.range()
      $0.layer("ib_umem_odp_map_dma_and_lock", -14, [1, Scene.base, 0x10000, 1, 1])
      $0.layer("rxe_ib_advise_mr", -14, [9, 0, 1, 8, 1])
    }.operation
    scene.operation.walks += later.walks.map {
      var one = $0; one.timeNs += 100; return one
    }
    scene.operation.ranges += later.ranges.map {
      var one = $0; one.timeNs += 100; return one
    }
    scene.operation.layers += later.layers.map {
      var one = $0; one.timeNs += 100; return one
    }
    // Without a time nothing says whose they are.
    scene.operation.mappings = before.mappings.map {
      var one = $0; one.timeNs = 3; return one
    }
    scene.operation.mappings += later.mappings.map {
      var one = $0; one.timeNs = 103; return one
    }
    let found = try diagnosis(scene)
    #expect(found.cause == "mapping-missing" && found.confidence == .inferred)
    #expect(!found.chain.contains { $0.function == "hmm_vma_walk_test" })
    #expect(found.operation.mappings.count == 1 && found.operation.startNs == nil)
  }

  @Test(arguments: [
    ("rxe_ib_advise_mr", [9, 1, 1, 8, 1] as [UInt64]),  // another advice
    ("rxe_ib_advise_mr", [9, 0, 1, 8, 2]),  // of other ranges
    ("ib_umem_odp_map_dma_and_lock", [1, Scene.base + 4096, 0x10000, 1, 1]),
    ("ib_umem_odp_map_dma_and_lock", [1, Scene.base, 0x8000, 1, 1]),
  ])
  func argumentsMustBeTheOperations(_ function: String, _ arguments: [UInt64]) throws {
    var scene = Self.advice()
    for index in scene.operation.layers.indices
    where scene.operation.layers[index].function == function {
      scene.operation.layers[index].arguments = arguments + [0]
    }
    let found = try diagnosis(scene)
    #expect(found.cause == "unknown")
    #expect(!found.incomplete.isEmpty)
  }

  @Test func umemMustBeTheLastOne() throws {
    var scene = Self.advice()
    scene.operation.umemIdentity = 1
    #expect(try diagnosis(scene).confidence == .proved)
    scene.operation.umemIdentity = 2
    #expect(try diagnosis(scene).cause == "unknown")
  }

  @Test func evidenceOutsideOfItsTimeIsAnothers() throws {
    var scene = Self.advice()
    scene.operation.startNs = 4
    #expect(try diagnosis(scene).cause == "unknown")
    scene.operation.startNs = 1
    scene.operation.endNs = 3
    #expect(try diagnosis(scene).cause == "unknown")
  }

  @Test func longBeforeTheEndIsTooLongWhereItsOwnRunsWereMissed() throws {
    var scene = Self.advice()
    scene.operation.endNs = 20_000_000
    #expect(try diagnosis(scene).cause == "mapping-device")
    #expect(try diagnosis(scene, missed: [Self.verb]).cause == "unknown")
  }

  @Test func orderAndDoublesDoNotMatter() throws {
    var scene = Self.advice()
    let truth = try diagnosis(scene)
    scene.operation.layers = scene.operation.layers.reversed() + scene.operation.layers
    scene.operation.walks += scene.operation.walks
    scene.operation.ranges += scene.operation.ranges
    let found = try diagnosis(scene)
    #expect(found.cause == truth.cause && found.confidence == .proved && found.chain == truth.chain)
  }

  /// hns and cxgb4 make ENOMEM of what a pin said, qedr and ocrdma EFAULT; others may do so too.
  @Test(arguments: [Errno.nomem, .fault, .io])
  func anUnseenDriverMayReplaceTheErrno(_ errno: Errno) throws {
    var scene = Scene.pin(.opnotsupp, on: .v72)
    scene.map(.fsdax)
    scene.operation.result = -Int64(errno.rawValue)
    scene.operation.root = "ib_uverbs_reg_mr"
    let found = try diagnosis(scene)
    #expect(found.cause == "pin-fsdax" && found.confidence == .inferred)
    #expect(found.incomplete.contains { $0.contains("replaced") })
    // Where it may be another call's, it is that.
    #expect(try diagnosis(scene, missed: ["ib_uverbs_reg_mr"]).cause == "unknown")
    // soft-RoCE is seen, and replaces nothing.
    scene.layer(
      "rxe_reg_user_mr", -Int64(errno.rawValue), [9, Scene.base, 0x20_0000, Scene.base, 1])
    #expect(try diagnosis(scene).cause != "pin-fsdax")
  }

  @Test func aResultThatCannotBeginThereIsAHole() throws {
    var scene = Self.advice()
    scene.operation.walks = []
    scene.operation.ranges = []
    scene.operation.mappings = []
    scene.operation.umems = []
    scene.operation.layers.removeFirst()
    // rxe_ib_advise_mr() names no EFAULT itself.
    let found = try diagnosis(scene)
    #expect(found.incomplete.contains { $0.contains("rxe_ib_advise_mr") })
  }

  @Test func aKindThatWasNotSeenIsNotDelivered() throws {
    var scene = Self.advice()
    scene.operation.kind = .pageFault
    scene.operation.kindSeen = false
    scene.operation.root = "ib_umem_odp_map_dma_and_lock"
    scene.operation.layers.removeLast()
    let found = try diagnosis(scene)
    #expect(found.delivered == nil)
    #expect(found.summary.contains("what asked for it was not seen"))
  }
}
