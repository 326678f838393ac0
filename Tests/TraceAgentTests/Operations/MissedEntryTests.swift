// SPDX-License-Identifier: Apache-2.0

import Model
import Operations
import Testing

@Suite struct MissedEntryTests {
  private func pageFault(stack: [String?]) -> Operation {
    var operation = Operation(
      kind: .pageFault, runner: .init(pid: 1, tid: 2, comm: "x"), endNs: 9, result: -14)
    operation.kernelStack = stack.map { StackFrame(address: 1, name: $0) }
    return operation
  }

  @Test(arguments: [
    ("ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR+0x1a", Operation.Kind.adviseMR),
    ("ib_uverbs_reg_mr+0x0", .regMR),
    ("ib_uverbs_rereg_mr", .reregMR),
    ("mlx5_ib_prefetch_mr_work.isra.0+0x9", .prefetch),
  ])
  func theStackNamesTheVerb(function: String, kind: Operation.Kind) {
    var operation = pageFault(stack: ["hmm_range_fault+0x1", nil, function, "do_syscall_64+0x2"])
    operation.correctMissedEntry()
    #expect(operation.kind == kind)
    #expect(operation.lost == 1)
  }

  @Test func aRealPageFaultStaysOne() {
    var operation = pageFault(stack: ["hmm_range_fault+0x1", "rxe_odp_mr_copy+0x3", nil])
    operation.correctMissedEntry()
    #expect(operation.kind == .pageFault)
    #expect(operation.lost == 0)
  }

  @Test func otherKindsAreLeftAlone() {
    var operation = pageFault(stack: ["ib_uverbs_reg_mr+0x0"])
    operation.kind = .adviseMR
    operation.correctMissedEntry()
    #expect(operation.kind == .adviseMR)
    #expect(operation.lost == 0)
  }

  private static let verb = "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"

  private func mapped(by comm: String, pid: Int, tid: Int, owner: Int?) -> Operation {
    var operation = Operation(
      kind: .pageFault, runner: .init(pid: pid, tid: tid, comm: comm), endNs: 9, result: -14)
    operation.ownerPID = owner
    return operation
  }

  @Test func whatAskedForItIsNotSeenWhereItsEntryMayHaveBeenMissed() {
    for (operation, missed, isSeen) in [
      // a process's thread, inside a verb
      (mapped(by: "server", pid: 5, tid: 6, owner: 5), [Self.verb], false),
      (mapped(by: "server", pid: 5, tid: 6, owner: 5), ["rxe_ib_prefetch_mr_work"], true),
      (mapped(by: "server", pid: 5, tid: 6, owner: 5), [], true),
      // a worker, for a prefetch
      (mapped(by: "kworker/0:1", pid: 7, tid: 7, owner: 5), ["rxe_ib_prefetch_mr_work"], false),
      (mapped(by: "kworker/0:1", pid: 7, tid: 7, owner: 5), [Self.verb], true),
      // who calls itself a worker owns memory
      (mapped(by: "kworker/0:1", pid: 7, tid: 7, owner: 7), [Self.verb], false),
    ] as [(Operation, Set<String>, Bool)] {
      var operation = operation
      operation.correctMissedEntry(missed: missed)
      #expect(operation.kindSeen == isSeen, "\(operation.runner) \(missed)")
      #expect(operation.kind == .pageFault)
      #expect(operation.lost == (isSeen ? 0 : 1))
    }
  }

  @Test func verbsThatNobodyWatchesAreNotSeen() {
    var operation = mapped(by: "server", pid: 5, tid: 6, owner: 5)
    operation.correctMissedEntry(watched: ["ib_umem_odp_map_dma_and_lock"])
    #expect(!operation.kindSeen)
    operation = mapped(by: "server", pid: 5, tid: 6, owner: 5)
    operation.correctMissedEntry(watched: ["ib_umem_odp_map_dma_and_lock", Self.verb])
    #expect(operation.kindSeen)
  }

  @Test func aWholeStackWithoutVerbIsAPageFault() {
    var operation = pageFault(stack: [
      "hmm_range_fault+0x1", "rxe_odp_mr_copy+0x3", "ret_from_fork+0x1",
    ])
    operation.kind = .prefetch
    operation.correctMissedEntry(missed: ["rxe_ib_prefetch_mr_work", Self.verb])
    #expect(operation.kind == .pageFault && operation.kindSeen)
  }

  @Test func aPrefetchMayBeAnEarlierOnes() {
    var operation = mapped(by: "kworker/0:1", pid: 7, tid: 7, owner: 5)
    operation.kind = .prefetch
    var other = operation
    operation.correctMissedEntry(missed: ["rxe_ib_prefetch_mr_work"])
    #expect(operation.kind == .pageFault && !operation.kindSeen)
    other.kernelStack = [StackFrame(address: 1, name: "rxe_ib_prefetch_mr_work+0x9")]
    other.correctMissedEntry(missed: ["rxe_ib_prefetch_mr_work"])
    #expect(other.kind == .prefetch && other.kindSeen)
  }
}
