// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

extension Tracer {
  /// Each second: attaches hooks whose module has been loaded since, and notices that one has gone, as it can where kprobes are
  /// in it. What has come and cannot be hooked is told: it is no longer waited for. nil: nothing has changed.
  package mutating func attachLate() -> ModuleChanges? {
    guard settings.pinsModules else {
      let changes = followModules()
      return changes.isAny ? changes : nil
    }
    var changes = ModuleChanges()
    let (before, now) = (modulesNs, Clock.monotonic())
    defer { modulesNs = now }
    let gone = releaseProbed()
    changes.left = gone
    guard !plan.later().isEmpty else { return changes.isAny ? changes : nil }
    let loaded = KernelFacts.loadedModules()
    guard loaded != modules || !gone.isEmpty else { return changes.isAny ? changes : nil }
    let new = loaded.subtracting(modules)
    modules = loaded
    let awaited = plan.later().filter { row in
      row.hook.modules.contains { loaded.contains($0) }
    }
    guard !awaited.isEmpty else { return changes.isAny ? changes : nil }
    let come = Set(awaited.flatMap(\.hook.modules)).intersection(new.union(gone))
    take(awaited.map(\.hook.symbol), &changes)
    let attached = plan.attached()
    for module in come.sorted() {
      let hooks = attached.count { row in
        row.module == module && awaited.contains { $0.hook.symbol == row.hook.symbol }
      }
      guard hooks > 0 else { continue }
      let wasThere = departed.contains(module)
      // Without a device nothing can have been done with it yet.
      let wasUsed = gone.contains(module) || holdsRoots(module) && Tracer.hasDevices
      var came = ModuleChanges.Came(
        module: module, hooks: hooks, fromNs: wasUsed ? before : nil, toNs: Clock.monotonic())
      came.isFirst = !wasThere
      changes.came.append(came)
    }
    noteProbed()
    return changes.isAny ? changes : nil
  }

  /// Attaches these functions as far as they have come; those that have and cannot be are `failed`.
  private mutating func take(_ symbols: [String], _ changes: inout ModuleChanges) {
    guard let facts = try? KernelFacts.read(), !facts.offers.symbols.areHidden else {
      return fail(symbols, "/proc/kallsyms shows no addresses", &changes)
    }
    while true {
      let fresh = HookPlan(offers: facts.offers, wish: settings.wish(refusals))
      let rows = fresh.rows.filter { symbols.contains($0.hook.symbol) && $0.rung != .later }
      for row in rows where !row.isAttached { plan.replace(row) }
      let come = rows.filter(\.isAttached)
      guard !come.isEmpty else { return }
      do throws(ProgramGroup.Refusal) {
        let group = try ProgramGroup.load(come, settings: settings, sharing: groups[0])
        for row in come { plan.replace(row) }
        for failure in group.attachFailures {
          plan.markAbsent(failure.symbol, failure.why)
          changes.failed.append(failure.symbol)
        }
        groups.append(group)
        return
      } catch {
        guard let symbol = error.symbol, refusals.add(symbol, error.detail) else {
          return fail(come.map(\.hook.symbol), error.asKernelError.sentence, &changes)
        }
      }
    }
  }

  private mutating func fail(
    _ symbols: [String], _ why: String, _ changes: inout ModuleChanges
  ) {
    plan.giveUp(symbols, .notHooked(why))
    changes.failed += symbols
  }

  private func holdsRoots(_ module: String) -> Bool {
    plan.rows.contains { row in
      row.module == module && Sight.roots.contains { $0.function == row.hook.symbol }
    }
  }

  private static var hasDevices: Bool {
    !Directory.names(in: "/sys/class/infiniband").isEmpty
  }

  // MARK: - Modules that kprobes do not keep

  /// Remembers which load of each module has kprobes.
  mutating func noteProbed() {
    for module in Set(plan.attached().filter { $0.rung == .kprobe }.compactMap(\.module)) {
      probed[module] = ModuleIdentity.current(of: module, known: probed[module])
    }
  }

  /// Modules that have been unloaded, or replaced by another load: their hooks went with them, and are awaited.
  private mutating func releaseProbed() -> [String] {
    var gone: [String] = []
    for (module, identity) in probed
    where ModuleIdentity.current(of: module, known: identity) != identity {
      // What its programs missed is still counted by their group.
      for row in plan.attached() where row.module == module {
        retired[row.hook.id.rawValue] = RetiredHook(row: row)
      }
      plan.expect(module)
      probed[module] = nil
      departed.insert(module)
      gone.append(module)
    }
    return gone.sorted()
  }
}

extension HookPlan {
  /// These are no longer waited for.
  mutating func giveUp(_ symbols: [String], _ why: Unwatched) {
    for index in rows.indices where symbols.contains(rows[index].hook.symbol) {
      rows[index].rung = .absent
      rows[index].reason = .unwatched(why)
    }
  }
}
