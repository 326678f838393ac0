// SPDX-License-Identifier: Apache-2.0

import Model

extension Operation {
  /// What runs inside a verb whose entry was missed looks like a page fault of its own: nothing says on whose behalf
  /// the umem is mapped. The kernel stack of a failure does.
  ///
  /// Call it when the stack has its names. The operation then counts as incomplete.
  package mutating func correctMissedEntry() {
    guard kind == .pageFault else { return }
    for frame in kernelStack {
      guard let function = frame.name?.prefix(while: { $0 != "+" && $0 != "." }) else { continue }
      switch function {
      case "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR": kind = .adviseMR
      case "ib_uverbs_reg_mr", "ib_uverbs_handler_UVERBS_METHOD_REG_MR",
        "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR":
        kind = .regMR
      case "ib_uverbs_rereg_mr": kind = .reregMR
      case "rxe_ib_prefetch_mr_work", "mlx5_ib_prefetch_mr_work": kind = .prefetch
      default: continue
      }
      lost += 1
      entryMissed = true
      return
    }
  }
}
