// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import Export

struct PerfettoTests {
  @Test func slicesNestFromTheVerbToTheFault() throws {
    let trace = try PerfettoReader(try ExportedFixture(.perfetto).bytes)
    let slices = try trace.slices()
    let call = try #require(
      slices.first {
        $0.begin.annotations["operation"] == ["advise_mr"]
          && $0.begin.annotations["cause"] == ["fault-beyond-eof"]
      })
    #expect(call.depth == 0)
    let inside = slices.filter {
      $0.depth > 0 && $0.begin.track == call.begin.track && $0.begin.time >= call.begin.time
        && $0.end.time <= call.end.time
    }
    #expect(call.begin.name == "advise_mr EFAULT")
    #expect(
      inside.sorted { $0.depth < $1.depth }.map(\.begin.name) == [
        "rxe_ib_advise_mr", "ib_umem_odp_map_dma_and_lock", "hmm_range_fault_unlocked_timeout",
        "hmm_range_fault_locked", "hmm_range_fault_locked, fault phase", "dax_iomap_fault",
        "dax_pte_fault_done",
      ])
    #expect(inside.map(\.depth).sorted() == Array(1...7))
  }

  @Test func failingPageTellsItsFlagsAndFlowsIntoTheCall() throws {
    let trace = try PerfettoReader(try ExportedFixture(.perfetto).bytes)
    let pages = trace.events.filter { !$0.flows.isEmpty }
    #expect(pages.count == 5)
    let page = try #require(pages.first { $0.annotations["cause"] == ["pin-fsdax"] })
    #expect(page.name == "PTE PRESENT RW USER ACCESSED DIRTY SOFT_DIRTY NX")
    #expect(page.annotations["raw"] == ["0x8000000029030867"])
    #expect(
      page.annotations["flags"]
        == ["PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SOFT_DIRTY", "NX"])
    let slices = try trace.slices()
    for page in pages {
      let call = try #require(slices.first { $0.end.endedFlows == page.flows })
      #expect(call.begin.annotations["cause"] == page.annotations["cause"])
      #expect(call.begin.time...call.end.time ~= page.time)
    }
  }

  @Test func countersTellRatesAndLoss() throws {
    let trace = try PerfettoReader(try ExportedFixture(.perfetto).bytes)
    let names = trace.tracks.filter { $0.value[8] != nil }.mapValues { $0[2]?.first?.text ?? "" }
    #expect(
      Set(names.values)
        == ["operations", "failed operations", "records", "records lost", "runs missed"])
    let counters = trace.events.filter { $0.counter != nil }
    #expect(counters.allSatisfy { $0.type == 4 && names[$0.track] != nil })
    // A rate over a tenth of a second.
    let operations = counters.filter { names[$0.track] == "operations" }
    #expect(operations.compactMap(\.counter).reduce(0, +) == 160)
  }

  @Test func anOperationWithoutAStartIsDrawnFromWhatIsKnown() {
    var operation = Operation(
      kind: .pageFault, runner: .init(pid: 1, tid: 2, comm: "a"), endNs: 100, result: -14)
    operation.walks = [
      WalkEvidence(
        function: "hmm_vma_walk_pmd", timeNs: 40, result: -14, start: 0, end: 1, hasVMA: true,
        entry: 0, rung: .fexit)
    ]
    operation.ranges = [
      RangeEvidence(
        function: "hmm_range_fault", timeNs: 70, result: -14, start: 0, end: 1, defaultFlags: 0,
        rung: .fexit)
    ]
    let trees = LayerTree.trees(of: operation, in: 0...100)
    #expect(trees.count == 1)
    #expect(trees[0].sinceNs == 40)
    #expect(trees[0].endNs == 70)
    #expect(trees[0].inner.map(\.layer.function) == ["hmm_vma_walk_pmd"])
    #expect(trees[0].deepest.function == "hmm_vma_walk_pmd")
  }

  /// A second try does not lie inside the first one.
  @Test func repeatedFailuresStandSideBySide() {
    var operation = Operation(
      kind: .pageFault, runner: .init(pid: 1, tid: 2, comm: "a"), endNs: 100, result: -14)
    for time in [10, 50] as [UInt64] {
      operation.walks.append(
        WalkEvidence(
          function: "hmm_vma_walk_pmd", timeNs: time, result: -16, start: 0, end: 1, hasVMA: true,
          entry: 0, rung: .fexit))
      operation.ranges.append(
        RangeEvidence(
          function: "hmm_range_fault", timeNs: time + 5, result: -16, start: 0, end: 1,
          defaultFlags: 0, rung: .fexit))
    }
    operation.layers = [
      LayerEvidence(
        function: "ib_umem_odp_map_dma_and_lock", timeNs: 90, result: -14, arguments: [],
        rung: .fexit)
    ]
    let trees = LayerTree.trees(of: operation, in: 5...100)
    #expect(trees.map(\.layer.function) == ["ib_umem_odp_map_dma_and_lock"])
    #expect(trees[0].inner.map(\.sinceNs) == [10, 50])
    #expect(trees[0].inner.map(\.endNs) == [15, 55])
  }
}
