// SPDX-License-Identifier: Apache-2.0

/// What a run sees of what may fail: by what became of the hooks where operations begin, and of those in the drivers of the
/// devices that were there. "No failed operation" is said only where it would have been seen.
package struct Sight: Equatable, Sendable {
  /// A function to be watched.
  package struct Hook: Equatable, Sendable {
    package enum State: Equatable, Sendable {
      case attached
      /// Its module is not loaded: hooked when it comes.
      case waiting
      /// This kernel has no such function.
      case lacking
      /// It is, or may be, there and not watched, for this reason.
      case missing(Unwatched)
    }

    package var function: FunctionName
    package var state: State
    package init(_ function: FunctionName, _ state: State) {
      self.function = function
      self.state = state
    }
  }

  /// A device of /sys/class/infiniband.
  package struct Device: Equatable, Hashable, Sendable {
    package var name: String
    /// The kernel module that drives it; nil: not known.
    package var driver: String?
    package init(name: String, driver: String?) {
      self.name = name
      self.driver = driver
    }
  }

  private let states: [FunctionName: Hook.State]
  package let devices: [Device]

  package init(hooks: [Hook], devices: [Device]) {
    // Of two symbols for one function the kernel has one at most: what is attached counts.
    states = Dictionary(hooks.map { ($0.function, $0.state) }) { one, other in
      one == .attached ? one : other
    }
    self.devices = devices
  }

  /// nil: the plan does not have it.
  package func state(of function: FunctionName) -> Hook.State? { states[function] }

  // MARK: - Where operations begin

  /// A function without which operations of a kind are not seen at all.
  package struct Root: Sendable {
    package let function: FunctionName
    /// In the plural, for a sentence.
    package let operations: String
    package let kinds: [Operation.Kind]
    /// There are kernels that have RDMA, and not this.
    let isOptional: Bool
  }

  package static let roots: [Root] = [
    Root(
      function: "ib_uverbs_reg_mr", operations: "registrations", kinds: [.regMR], isOptional: false),
    Root(
      function: "ib_uverbs_handler_UVERBS_METHOD_REG_MR",
      operations: "registrations by the ioctl method REG_MR", kinds: [.regMR], isOptional: true),
    Root(
      function: "ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR",
      operations: "registrations of dma-bufs", kinds: [.regMR], isOptional: true),
    Root(
      function: "ib_uverbs_rereg_mr", operations: "re-registrations", kinds: [.reregMR],
      isOptional: false),
    Root(
      function: "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", operations: "prefetch requests",
      kinds: [.adviseMR], isOptional: false),
    // Exported to the drivers: where it is not there, there is no on-demand paging.
    Root(
      function: "ib_umem_odp_map_dma_and_lock",
      operations: "page faults and asynchronous prefetches", kinds: [.pageFault, .prefetch],
      isOptional: true),
  ]

  /// Why a root's operations are not seen.
  private enum Absence: Equatable {
    /// This kernel has no such function, and all that have RDMA have it.
    case unknownToKernel
    case unwatched(Unwatched)

    var sentence: String {
      switch self {
      case .unknownToKernel: "it is not among the functions of this kernel"
      case .unwatched(let why): why.sentence
      }
    }
  }

  /// nil: they are seen, or there can be none.
  private func absence(of root: Root) -> Absence? {
    switch states[root.function] {
    case .attached, .waiting, nil: nil
    case .lacking: root.isOptional ? nil : .unknownToKernel
    case .missing(let why): .unwatched(why)
    }
  }

  /// Does ``blindness`` say what is lost without this function?
  package func tells(of function: FunctionName) -> Bool {
    Self.roots.contains { $0.function == function && absence(of: $0) != nil }
  }

  /// No operation is seen, whatever happens.
  package var seesNothing: Bool {
    let known = Self.roots.compactMap { states[$0.function] }
    return !known.isEmpty && !known.contains { $0 == .attached || $0 == .waiting }
  }

  /// The RDMA core is not loaded: what there will be is seen when it has come.
  package var waits: Bool {
    let known = Self.roots.compactMap { states[$0.function] }
    return known.contains(.waiting) && !known.contains(.attached)
  }

  /// Are operations of this kind seen?
  package func sees(_ kind: Operation.Kind) -> Bool {
    !Self.roots.contains { $0.kinds.contains(kind) && absence(of: $0) != nil }
  }

  /// What nobody would be told of, a sentence each; empty where all is seen that may fail.
  package var blindness: [String] {
    if seesNothing { return ["No operation is seen, failed or not: \(nothing)."] }
    return Self.roots.compactMap { root in
      absence(of: root).map {
        "\(root.operations.capitalizedFirst) are not seen, failed or not: \(root.function): \($0.sentence)."
      }
    } + devices.compactMap(blindness)
  }

  /// Why nothing is seen.
  private var nothing: String {
    let reasons = Self.roots.compactMap { root in
      absence(of: root).map { (function: root.function, why: $0) }
    }
    guard let first = reasons.first else { return "no function where one begins is watched" }
    let others =
      reasons.count > 1 ? " and \(reasons.count - 1) more functions where one begins" : ""
    return "\(first.function)\(others): \(first.why.sentence)"
  }

  /// Why a run that would see nothing does not begin, and what to do.
  package var refusal: String {
    "nothing would be seen: \(nothing); \(remedy)"
  }

  private var remedy: String {
    let reasons = Self.roots.compactMap { absence(of: $0) }
    if reasons.contains(.unwatched(.forcedOff)) { return "leave them out of --no-hook" }
    if reasons.contains(.unwatched(.kprobesOff)) {
      return "switch them on: echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled"
    }
    if reasons.contains(.unknownToKernel) {
      return "see that ib_uverbs is the module of the running kernel (modinfo ib_uverbs, uname -r)"
    }
    return
      "see that the kernel has CONFIG_FUNCTION_TRACER or CONFIG_KPROBES and that neither is switched off "
      + "(kernel.ftrace_enabled, /sys/kernel/debug/kprobes/enabled), and what mrtrace doctor says"
  }

  // MARK: - Drivers

  /// Functions of drivers that are hooked; the first is what every kernel has.
  package static let drivers: [String: [FunctionName]] = [
    "rdma_rxe": ["rxe_reg_user_mr", "rxe_ib_advise_mr", "rxe_ib_prefetch_mr_work"],
    "mlx5_ib": [
      "mlx5_ib_reg_user_mr", "mlx5_ib_advise_mr", "mlx5_ib_prefetch_mr_work",
      "get_prefetchable_mr", "pagefault_single_data_segment", "pagefault_mr",
      "mlx5r_umr_update_xlt",
    ],
  ]

  /// Is nothing of this driver watched? With the functions that should be.
  private func unwatched(_ device: Device) -> (isAll: Bool, functions: [(FunctionName, Unwatched)])?
  {
    guard let driver = device.driver, let functions = Self.drivers[driver] else {
      return (true, [])
    }
    let missing = functions.compactMap { function in
      if case .missing(let why)? = states[function] { (function, why) } else { nil }
    }
    let known = functions.compactMap { states[$0] }
    // a plan of a version without these hooks
    if known.isEmpty { return nil }
    if !known.contains(.attached) {
      // its module has gone, and is awaited
      return missing.isEmpty && known.contains(.waiting) ? nil : (true, missing)
    }
    return missing.isEmpty ? nil : (false, missing)
  }

  private func blindness(of device: Device) -> String? {
    guard let (isAll, functions) = unwatched(device) else { return nil }
    let driver = device.driver.map { "driver \($0)" } ?? "driver not known"
    let why =
      functions.isEmpty
      ? "" : ": " + functions.map { "\($0.0): \($0.1.sentence)" }.joined(separator: "; ")
    if !isAll {
      return "Of \(device.name) (\(driver)) not all is seen that its driver refuses\(why)."
    }
    return
      "Of \(device.name) (\(driver)) the driver's own functions are not watched\(why): what it refuses is seen where the "
      + "verb returns, without its reason, and page faults that fail in it are not seen; of pins and page walks those that the RDMA core does "
      + "for it are."
  }

  /// Devices of which not all is seen.
  package func isWatched(_ device: Device) -> Bool { unwatched(device) == nil }
}

extension Sight.Hook {
  /// As the recording of a plan tells it; `rung` is nil where it is a word of another version.
  package init(_ function: FunctionName, rung: Rung?, note: String?) {
    self.init(function, Self.state(rung: rung, note: note ?? ""))
  }

  private static func state(rung: Rung?, note: String) -> State {
    switch rung {
    case .fexit, .kprobe, .tracepoint: .attached
    // Where the note gives no reason, it says what is lost.
    case .absent: Unwatched(note: note).map(State.missing) ?? .lacking
    case .replay, .later, .off, .noHook, nil: .waiting
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
