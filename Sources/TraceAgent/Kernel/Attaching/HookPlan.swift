// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

/// How each hook is attached on this kernel: a pure function of what the kernel offers.
package struct HookPlan: Equatable, Sendable {
  package enum Rung: String, Sendable {
    case fexit, kprobe, tracepoint
    /// No function of its own: rebuilt from what a caller saw.
    case replay
    /// Its module is not loaded yet.
    case later
    /// Not asked for in this run.
    case off
    case absent
  }

  package struct Row: Equatable, Sendable {
    package var hook: Hook
    package var rung: Rung
    /// The symbol as it is in this kernel: a clone's name, perhaps.
    package var target: String
    package var module: String?
    package var note: String
    /// Of the target; 0 where there is none.
    package var address: UInt64 = 0
    package init(hook: Hook, rung: Rung, target: String, module: String?, note: String) {
      self.hook = hook
      self.rung = rung
      self.target = target
      self.module = module
      self.note = note
    }

    package var isAttached: Bool { [.fexit, .kprobe, .tracepoint].contains(rung) }
  }

  /// Families of hooks that can be forced off, to see what the answer is without them.
  package enum Family: String, CaseIterable, Sendable {
    case fentry, kprobe, direct, fault
  }

  /// What the kernel offers, as far as a plan depends on it.
  package struct Offers: Sendable {
    package var symbols: KernelSymbols
    /// Modules with BTF, and "vmlinux".
    package var btf: Set<String>
    package var tracepoints: Set<String>
    /// From /proc/modules.
    package var modules: Set<String>
    package init(
      symbols: KernelSymbols, btf: Set<String>, tracepoints: Set<String>, modules: Set<String>
    ) {
      self.symbols = symbols
      self.btf = btf
      self.tracepoints = tracepoints
      self.modules = modules
    }

    /// A part of the kernel that is not there now, but may be loaded later. Of two modules that may hold a function, ib_core is
    /// often there without ib_uverbs.
    func mayLoadLater(_ hook: Hook) -> Bool {
      guard !hook.modules.isEmpty else { return false }
      if hook.modules.allSatisfy({ modules.contains($0) }) { return false }
      // built in: a sibling from the same module is in vmlinux
      return !Hook.all.contains {
        $0.modules == hook.modules && symbols[$0.symbol] != nil && symbols[$0.symbol]?.module == nil
      }
    }
  }

  package struct Wish: Equatable, Sendable {
    package var faultCodes: Bool
    package var layers: Bool
    package var follow: Bool
    package var statistics: Bool
    /// False: no fexit on modules' functions.
    package var pinsModules = true
    package var without: Set<Family>
    /// Functions not to be hooked.
    package var unhooked: Set<String>
    /// The kernel hands out modules' BTF, which fexit on their functions needs.
    package var moduleBTF: Bool
    /// The kernel attaches kprobes and does not run them.
    package var kprobesAreOff = false
    /// Hooks whose fentry program the verifier refused on this kernel: they go one rung down.
    package var demoted: Set<String>
    /// Hooks of which the kernel refused the last rung as well: they are left out.
    package var refused: Set<String>
    /// What the kernel said of those.
    package var reasons: [String: String] = [:]
    package init(
      faultCodes: Bool = false, layers: Bool = false, follow: Bool = false,
      statistics: Bool = false, without: Set<Family> = [], unhooked: Set<String> = [],
      moduleBTF: Bool = true, demoted: Set<String> = [], refused: Set<String> = []
    ) {
      self.faultCodes = faultCodes
      self.layers = layers
      self.follow = follow
      self.statistics = statistics
      self.without = without
      self.unhooked = unhooked
      self.moduleBTF = moduleBTF
      self.demoted = demoted
      self.refused = refused
    }

    /// Where its module, or the kernel, has BTF.
    func mayFentry(_ hook: Hook, _ symbols: KernelSymbols) -> Bool {
      let isBuiltIn = hook.modules.isEmpty || symbols[hook.symbol].map { $0.module == nil } == true
      return !without.contains(.fentry) && (isBuiltIn || moduleBTF && pinsModules)
    }
  }

  package var rows: [Row]

  package init(rows: [Row]) { self.rows = rows }

  package init(hooks: [Hook] = Hook.all, offers: Offers, wish: Wish) {
    rows = hooks.map { HookPlan.row(for: $0, offers: offers, wish: wish) }
    // hmm_vma_handle_pte is inlined nearly everywhere: its caller records what a replay needs.
    let callerSeen = rows.contains { $0.hook.id == MRT_HOOK_WALK_PMD && $0.isAttached }
    for index in rows.indices
    where rows[index].hook.id == MRT_HOOK_HANDLE_PTE && rows[index].rung == .absent && callerSeen {
      rows[index].rung = .replay
      let why = rows[index].note == Sight.forcedOff ? Sight.forcedOff : "inlined in this kernel"
      rows[index].note = "\(why): replayed over the entries hmm_vma_walk_pmd saw"
    }
  }

  /// What cannot be seen on this kernel that should be, a sentence each.
  package var gaps: [String] { gaps(besides: nil) }

  /// The same, but for what `sight` says.
  package func gaps(besides sight: Sight?) -> [String] {
    rows.compactMap { row in
      guard row.rung == .absent, let loss = row.hook.withoutIt else { return nil }
      if sight?.tells(of: row.hook.symbol) == true { return nil }
      let why = row.note == loss || row.note.isEmpty ? "this kernel does not have it" : row.note
      return "\(loss): \(row.hook.symbol): \(why)"
    }
  }

  /// Hooked by kretprobes for want of CAP_SYS_ADMIN, which lose returns under load.
  package var isWeakened: Bool { rows.contains { $0.note.hasPrefix("no CAP_SYS_ADMIN") } }

  /// What it lets be seen, on a machine with these devices.
  package func sight(of devices: [Sight.Device]) -> Sight {
    Sight(
      hooks: rows.map { Sight.Hook($0.hook.symbol, rung: $0.rung.rawValue, note: $0.note) },
      devices: devices)
  }

  package func attached() -> [Row] { rows.filter(\.isAttached) }
  package func later() -> [Row] { rows.filter { $0.rung == .later } }

  private static let kprobesOff =
    "\(Sight.notHooked): kprobes are switched off (/sys/kernel/debug/kprobes/enabled is 0)"

  private static func row(for hook: Hook, offers: Offers, wish: Wish) -> Row {
    var row = Row(hook: hook, rung: .absent, target: hook.symbol, module: nil, note: "")
    switch hook.need {
    case .always: break
    case .faultCodes where !wish.faultCodes: return row.off("only with --fault-codes")
    case .layers where !wish.layers: return row.off("only with --detail layers")
    case .follow where !wish.follow: return row.off("only where children are followed")
    case .statistics where !wish.statistics: return row.off("only for the live views")
    default: break
    }
    if wish.refused.contains(hook.symbol) {
      let reason = wish.reasons[hook.symbol].map { " (\($0))" } ?? ""
      row.note = "its program \(Sight.refused)\(reason)"
      return row
    }
    let forcedOff =
      wish.unhooked.contains(hook.symbol)
      || hook.role == .fault && wish.without.contains(.fault)
      || hook.id == MRT_HOOK_HANDLE_PTE && wish.without.contains(.direct)
      // nothing is left for it, whenever its module comes
      || hook.way != .tracepoint && !wish.mayFentry(hook, offers.symbols)
        && wish.without.contains(.kprobe)
    if hook.way != .tracepoint, !forcedOff, !wish.mayFentry(hook, offers.symbols),
      wish.kprobesAreOff
    {
      row.note = kprobesOff
      return row
    }
    if forcedOff {
      // absent, so that its substitute takes over
      row.note = Sight.forcedOff
      return row
    }
    if hook.way == .tracepoint {
      row.rung = offers.tracepoints.contains(hook.symbol) ? .tracepoint : .absent
      if row.rung == .absent { row.note = hook.withoutIt ?? "not in this kernel" }
      return row
    }
    if let symbol = offers.symbols[hook.symbol] {
      row.module = symbol.module
      row.address = symbol.address
      let hasBTF = offers.btf.contains(symbol.module ?? "vmlinux")
      let fentryOff = wish.without.contains(.fentry)
      let withheld = symbol.module != nil && !wish.moduleBTF
      let staysLoaded = symbol.module == nil || wish.pinsModules
      if hasBTF, !fentryOff, !withheld, staysLoaded, !wish.demoted.contains(hook.symbol) {
        row.rung = .fexit
        return row
      }
      if wish.kprobesAreOff, !wish.without.contains(.kprobe) {
        row.note = kprobesOff
        return row
      }
      if !wish.without.contains(.kprobe) {
        row.rung = .kprobe
        row.note =
          fentryOff
          ? "fentry forced off"
          : !staysLoaded
            ? "its module may be unloaded"
            : hasBTF && withheld
              ? "no CAP_SYS_ADMIN for the module's BTF"
              : hasBTF
                ? "fentry refused by this kernel" : "no BTF for \(symbol.module ?? "vmlinux")"
        return row
      }
      row.note = Sight.forcedOff
      return row
    }
    if let clone = offers.symbols.clone(of: hook.symbol), !wish.without.contains(.kprobe) {
      if wish.kprobesAreOff {
        row.note = kprobesOff
        return row
      }
      row.rung = .kprobe
      row.target = clone
      row.module = offers.symbols[clone]?.module
      row.address = offers.symbols[clone]?.address ?? 0
      row.note = "compiler's copy of \(hook.symbol)"
      return row
    }
    if offers.mayLoadLater(hook) {
      row.rung = .later
      row.note = "\(hook.modules[0]) is not loaded"
      return row
    }
    row.note = hook.withoutIt ?? "not in this kernel"
    return row
  }
}

extension HookPlan.Row {
  fileprivate func off(_ note: String) -> HookPlan.Row {
    var row = self
    row.rung = .off
    row.note = note
    return row
  }
}
