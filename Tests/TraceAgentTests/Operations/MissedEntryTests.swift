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
}
