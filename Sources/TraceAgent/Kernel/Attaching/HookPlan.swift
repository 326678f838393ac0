// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

/// How each hook is attached on this kernel: a pure function of what the kernel offers.
package struct HookPlan: Equatable, Sendable {
  package struct Row: Equatable, Sendable {
    package var hook: Hook
    package var rung: Rung
    /// The symbol as it is in this kernel: a clone's name, perhaps.
    package var target: String
    package var module: String?
    package var reason: Reason?
    /// Of the target; 0 where there is none.
    package var address: UInt64 = 0
    package init(_ hook: Hook) {
      self.hook = hook
      rung = .absent
      target = hook.symbol
    }

    package var isAttached: Bool { rung.isAttached }
    /// ``reason`` in words; empty where there is none.
    package var note: String { reason?.text(of: hook) ?? "" }
    /// This kernel has it, or may, and it is not watched.
    package var isMissing: Bool { if case .missing = sightState { true } else { false } }
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
      rows[index].reason = .replayed(isForced: rows[index].reason == .unwatched(.forcedOff))
    }
  }

  /// What cannot be seen on this kernel that should be, a sentence each.
  package var gaps: [String] { gaps(besides: nil) }

  /// The same, but for what `sight` says.
  package func gaps(besides sight: Sight?) -> [String] {
    rows.compactMap { row in
      guard row.rung == .absent, let loss = row.hook.withoutIt else { return nil }
      if sight?.tells(of: row.hook.symbol) == true { return nil }
      let isLacking = row.reason == nil || row.reason == .lacking
      return
        "\(loss): \(row.hook.symbol): \(isLacking ? "this kernel does not have it" : row.note)"
    }
  }

  /// Hooked by kretprobes for want of CAP_SYS_ADMIN, which lose returns under load.
  package var isWeakened: Bool { rows.contains { $0.reason == .moduleBTFWithheld } }

  /// What it lets be seen, on a machine with these devices.
  package func sight(of devices: [Sight.Device]) -> Sight {
    Sight(
      hooks: rows.map { Sight.Hook($0.hook.symbol, $0.sightState) }, devices: devices)
  }

  package func attached() -> [Row] { rows.filter(\.isAttached) }
  package func later() -> [Row] { rows.filter { $0.rung == .later } }

  private static func row(for hook: Hook, offers: Offers, wish: Wish) -> Row {
    var row = Row(hook)
    /// Attached nowhere, for `reason`.
    func without(_ reason: Reason) -> Row {
      row.reason = reason
      return row
    }
    guard wish.asks(for: hook.need) else {
      row.rung = .off
      return without(.notAsked(hook.need))
    }
    if wish.refused.contains(hook.symbol) {
      return without(.unwatched(.refused(wish.reasons[hook.symbol])))
    }
    let mayFentry = wish.mayFentry(hook, offers.symbols)
    let forcedOff =
      wish.unhooked.contains(hook.symbol)
      || hook.role == .fault && wish.without.contains(.fault)
      || hook.id == MRT_HOOK_HANDLE_PTE && wish.without.contains(.direct)
      // nothing is left for it, whenever its module comes
      || hook.way != .tracepoint && !mayFentry && wish.without.contains(.kprobe)
    // absent, so that its substitute takes over
    if forcedOff { return without(.unwatched(.forcedOff)) }
    if hook.way != .tracepoint, !mayFentry, wish.kprobesAreOff {
      return without(.unwatched(.kprobesOff))
    }
    if hook.way == .tracepoint {
      guard offers.tracepoints.contains(hook.symbol) else { return without(.lacking) }
      row.rung = .tracepoint
      return row
    }
    if let symbol = offers.symbols[hook.symbol] {
      row.module = symbol.module
      row.address = symbol.address
      guard let obstacle = wish.fentryObstacle(hook, symbol.module, btf: offers.btf) else {
        row.rung = .fexit
        return row
      }
      if wish.without.contains(.kprobe) { return without(.unwatched(.forcedOff)) }
      if wish.kprobesAreOff { return without(.unwatched(.kprobesOff)) }
      row.rung = .kprobe
      return without(obstacle)
    }
    if let clone = offers.symbols.clone(of: hook.symbol), !wish.without.contains(.kprobe) {
      if wish.kprobesAreOff { return without(.unwatched(.kprobesOff)) }
      row.rung = .kprobe
      row.target = clone
      row.module = offers.symbols[clone]?.module
      row.address = offers.symbols[clone]?.address ?? 0
      return without(.clone)
    }
    if offers.mayLoadLater(hook) {
      row.rung = .later
      return without(.notLoaded(module: hook.modules[0]))
    }
    return without(.lacking)
  }
}

extension HookPlan.Wish {
  fileprivate func asks(for need: Hook.Need) -> Bool {
    switch need {
    case .always: true
    case .faultCodes: faultCodes
    case .layers: layers
    case .follow: follow
    case .statistics: statistics
    }
  }

  /// Why a function of `module` (nil: the kernel's own) is hooked by kprobe; nil: it is by fexit.
  fileprivate func fentryObstacle(
    _ hook: Hook, _ module: String?, btf: Set<String>
  ) -> HookPlan.Reason? {
    if without.contains(.fentry) { return .fentryOff }
    if module != nil, !pinsModules { return .moduleMayGo }
    guard btf.contains(module ?? "vmlinux") else { return .noBTF(of: module ?? "vmlinux") }
    if module != nil, !moduleBTF { return .moduleBTFWithheld }
    return demoted.contains(hook.symbol) ? .fentryRefused : nil
  }
}

extension HookPlan.Row {
  /// What it lets be seen.
  fileprivate var sightState: Sight.Hook.State {
    switch rung {
    case .fexit, .kprobe, .tracepoint: return .attached
    case .absent:
      if case .unwatched(let why)? = reason { return .missing(why) }
      return .lacking
    case .replay, .later, .off, .noHook: return .waiting
    }
  }
}
