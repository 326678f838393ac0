// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Model
import Recording
import Testing

/// What surrounds an operation is taken into account: which hooks there were, and what they missed.
@Suite struct ExplainerTests {
  private static let verb: FunctionName = "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"

  private func explainer(_ watched: Explainer.Watched) -> Explainer {
    Explainer(hooks: HookNames(), traits: Scene.traits(.v73), watched: watched)
  }

  /// A key that soft-RoCE does not know: that nothing was to be mapped decides.
  private func refused(from start: UInt64 = 100, to end: UInt64 = 200) -> Model.Operation {
    var scene = Scene(.adviseMR, .inval, on: .v73)
    scene.operation.root = Self.verb
    scene.operation.mr = MemoryRegion()
    scene.operation.lkey = 7
    scene.layer("rxe_ib_advise_mr", -22, [9, 0, 1, 8, 1])
    scene.operation.layers[0].timeNs = start + 1
    scene.operation.startNs = start
    scene.operation.endNs = end
    return scene.operation
  }

  @Test func theSameAsARuleSaysWhereNothingWasMissed() {
    var explainer = explainer(.init(Watched.all))
    let explained = explainer.explain(refused())
    #expect(explained.diagnosis?.cause == "mr-key-invalid")
    #expect(explained.diagnosis?.confidence == .proved)
    #expect(explained.operation == refused())
  }

  @Test func aSuccessHasNoDiagnosis() {
    var operation = refused()
    operation.result = 0
    var explainer = explainer(.init(Watched.all))
    let explained = explainer.explain(operation)
    #expect(explained.diagnosis == nil && explained.operation == operation)
  }

  @Test func whatWasMissedMeanwhileCounts() {
    var explainer = explainer(.init(Watched.all))
    var account = mrt_account()
    account.since_ns = 150
    account.missed = 1
    account.missed_entries = 1
    explainer.accounts.add(
      .account(account, hook: MRT_HOOK_ODP_MAP.rawValue, timeNs: 160))
    #expect(explainer.explain(refused()).diagnosis?.cause == "unknown")
    // not of another time
    let later = refused(from: 300, to: 400)
    #expect(explainer.explain(later).diagnosis?.cause == "mr-key-invalid")
  }

  /// Hooks of a module that came later are no evidence of what began before.
  @Test func hooksThatCameLater() {
    let hmm: Set<FunctionName> = ["hmm_range_fault_locked"]
    var explainer = explainer(.init(Watched.all, earlier: hmm, fromNs: 250))
    #expect(explainer.explain(refused()).diagnosis?.cause == "unknown")
    let later = refused(from: 300, to: 400)
    #expect(explainer.explain(later).diagnosis?.cause == "mr-key-invalid")
  }

  @Test func atOnceNothingCountsThatIsNotThere() {
    let explained = explainer(.init(Watched.all)).explainAtOnce(refused())
    #expect(explained.diagnosis?.cause == "unknown")
    #expect(explained.diagnosis?.confidence == .unknown)
  }

  /// As said of the one before it, with its own times; not where anything else differs.
  @Test func failuresThatRepeatOneAnother() throws {
    var explainer = explainer(.init(Watched.all))
    func repeated(_ start: UInt64, change: (inout Model.Operation) -> Void = { _ in }) throws
      -> Diagnosis
    {
      var operation = refused(from: start, to: start + 50)
      operation.layers[0].timeNs = 50
      operation.lentFrom = 40...60
      operation.repeatsAfterNs = start - 40
      change(&operation)
      let explained = explainer.explain(operation)
      let diagnosis = try #require(explained.diagnosis)
      #expect(explained.operation == operation && diagnosis.operation == operation)
      let alone = self.explainer(.init(Watched.all)).diagnosis(of: operation)
      #expect(diagnosis == alone)
      return diagnosis
    }
    #expect(try repeated(100).cause == "mr-key-invalid")
    #expect(try repeated(200).operation.endNs == 250)
    #expect(try repeated(300) { $0.lkey = 9 }.summary.contains("0x9"))
    #expect(try repeated(400).summary.contains("0x7"))
    #expect(try repeated(500) { $0.lost = 1 }.cause == "unknown")
  }
}
