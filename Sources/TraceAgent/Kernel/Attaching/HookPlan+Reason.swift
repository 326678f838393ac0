// SPDX-License-Identifier: Apache-2.0

import Model

extension HookPlan {
  /// Why a hook is not attached, or not by the best way.
  package enum Reason: Equatable, Sendable {
    /// Nothing in this run needs it.
    case notAsked(Hook.Need)
    /// This kernel has it, or may, and it is not watched.
    case unwatched(Unwatched)
    /// This kernel does not have it.
    case lacking
    case notLoaded(module: String)
    /// The function is a part of its caller, which tells what a replay needs. `isForced`: it is one of its own, and left
    /// alone.
    case replayed(isForced: Bool)

    // By kprobe instead of fexit:
    /// By --no-hook.
    case fentryOff
    /// Modules are not to be pinned.
    case moduleMayGo
    /// Without CAP_SYS_ADMIN the kernel does not hand it out. Kretprobes lose returns under load.
    case moduleBTFWithheld
    /// The verifier did not take the program.
    case fentryRefused
    case noBTF(of: String)
    /// The symbol is a clone.
    case clone

    func text(of hook: Hook) -> String {
      switch self {
      case .notAsked(let need): need.text
      case .unwatched(let why): why.note
      case .lacking: hook.withoutIt ?? "not in this kernel"
      case .notLoaded(let module): "\(module) is not loaded"
      case .replayed(let isForced):
        "\(isForced ? Unwatched.forcedOff.note : "inlined in this kernel"): replayed over the entries "
          + "hmm_vma_walk_pmd saw"
      case .fentryOff: "fentry forced off"
      case .moduleMayGo: "its module may be unloaded"
      case .moduleBTFWithheld: "no CAP_SYS_ADMIN for the module's BTF"
      case .fentryRefused: "fentry refused by this kernel"
      case .noBTF(let module): "no BTF for \(module)"
      case .clone: "compiler's copy of \(hook.symbol)"
      }
    }
  }
}

extension Hook.Need {
  fileprivate var text: String {
    switch self {
    case .always: ""
    case .faultCodes: "only with --fault-codes"
    case .layers: "only with --detail layers"
    case .follow: "only where children are followed"
    case .statistics: "only for the live views"
    }
  }
}
