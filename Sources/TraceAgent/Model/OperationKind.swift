// SPDX-License-Identifier: Apache-2.0

extension Operation {
  /// What an operation is. A new kind is a case here, with its number and its row; what is common to all operations
  /// follows from them.
  package enum Kind: String, Sendable, CaseIterable {
    case regMR = "reg_mr"
    case reregMR = "rereg_mr"
    case adviseMR = "advise_mr"
    case pageFault = "page_fault"
    /// Asynchronous advice, carried out by a kernel worker.
    case prefetch = "prefetch"
  }
}

extension Operation.Kind {
  private struct Traits: Sendable {
    /// The subject of "… failed with EFAULT"; nil: the kind's own name.
    var subject: String?
    /// How who asked for it learns of a failure. A system call is carried out in the context of the process that asked.
    let delivered: Diagnosis.Delivered
    /// It says what an MR is.
    var registers = false
    /// The function whose result is the operation's.
    let function: FunctionName
    /// Functions that say, in a kernel stack, that it is an operation of this kind.
    var askers: [FunctionName] = []
    /// The live screen has no line of it until there is one.
    var isRare = false
  }

  /// `enum mrt_operation_kind` of bpf/events.h.
  package var number: UInt32 {
    switch self {
    case .regMR: 1
    case .reregMR: 2
    case .adviseMR: 3
    case .pageFault: 4
    case .prefetch: 5
    }
  }

  private var row: Traits {
    switch self {
    case .regMR:
      Traits(
        delivered: .syscall, registers: true, function: "ib_uverbs_reg_mr",
        askers: [
          "ib_uverbs_reg_mr", "ib_uverbs_handler_UVERBS_METHOD_REG_MR",
          "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR",
        ])
    case .reregMR:
      Traits(
        delivered: .syscall, registers: true, function: "ib_uverbs_rereg_mr",
        askers: ["ib_uverbs_rereg_mr"], isRare: true)
    case .adviseMR:
      Traits(
        delivered: .syscall, function: "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR",
        askers: ["ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"])
    case .pageFault:
      Traits(
        subject: "an on-demand page fault", delivered: .completion,
        function: "ib_umem_odp_map_dma_and_lock")
    case .prefetch:
      Traits(
        subject: "an asynchronous prefetch", delivered: .discarded,
        function: "ib_umem_odp_map_dma_and_lock",
        askers: ["rxe_ib_prefetch_mr_work", "mlx5_ib_prefetch_mr_work"])
    }
  }

  /// By place: they are not made anew for each operation.
  private static let kinds = allCases
  private static let rows = kinds.map(\.row)
  private var traits: Traits { Self.rows[place] }

  /// nil for a number of a later version.
  package init?(number: UInt32) {
    let place = Int(number) - 1
    guard Self.kinds.indices.contains(place) else { return nil }
    self = Self.kinds[place]
  }

  package var subject: String { traits.subject ?? rawValue }
  package var delivered: Diagnosis.Delivered { traits.delivered }
  package var isRegistration: Bool { traits.registers }
  package var isSystemCall: Bool { delivered == .syscall }
  package var function: FunctionName { traits.function }
  package var askers: [FunctionName] { traits.askers }
  package var isRare: Bool { traits.isRare }
  /// Its place among all kinds.
  package var place: Int { Int(number) - 1 }

  /// By the functions that say so in a kernel stack.
  package static let byAsker: [FunctionName: Operation.Kind] = Dictionary(
    uniqueKeysWithValues: allCases.flatMap { kind in kind.askers.map { ($0, kind) } })
}
