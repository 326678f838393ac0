// SPDX-License-Identifier: Apache-2.0

import CEvents
import CLinux
import Glibc
import Model

/// A module whose functions are hooked without keeping it from being unloaded.
struct FollowedModule: Sendable {
  /// Identifies the load of the module whose functions are hooked; nil: none is hooked.
  var identity: UInt64?
  /// When it was last seen to be so, CLOCK_MONOTONIC, ns.
  var seenNs: UInt64
}

/// A hook whose module has been unloaded: what its programs had missed.
struct RetiredHook: Sendable {
  var row: HookPlan.Row
  var skipped: SkippedRuns = [:]
}

/// What became of modules since the last look.
package struct ModuleChanges: Equatable, Sendable {
  /// A module is hooked, and was not for a while.
  package struct Came: Equatable, Sendable {
    package var module: String
    package var hooks: Int
    /// CLOCK_MONOTONIC, ns: when its hooks were last seen to be there, or, where it comes for the first time and was in use
    /// before it was hooked, when it was last seen not to be; nil: nothing can have happened before.
    package var fromNs: UInt64?
    /// From then on it is hooked again.
    package var toNs: UInt64
    package var isFirst = false
    package init(module: String, hooks: Int, fromNs: UInt64?, toNs: UInt64) {
      self.module = module
      self.hooks = hooks
      self.fromNs = fromNs
      self.toNs = toNs
    }
  }

  package var left: [String] = []
  package var came: [Came] = []
  /// Functions that have come and cannot be hooked.
  package var failed: [FunctionName] = []
  package var isAny: Bool { !left.isEmpty || !came.isEmpty || !failed.isEmpty }
  package init() {}
}

extension Hook {
  /// All modules that hold functions to be hooked.
  package static let allModules = Set(all.flatMap(\.modules)).sorted()
}

/// Which load of a module is there: the number that sysfs gave its directory, another one each time.
enum ModuleIdentity {
  /// nil: not loaded, not yet ready, or built in.
  static func current(of module: String, known: UInt64?) -> UInt64? {
    var status = stat()
    guard stat("/sys/module/\(module)", &status) == 0 else { return nil }
    let identity = UInt64(status.st_ino)
    if identity == known, !isGoing(module) { return identity }
    guard state(of: module) == "live" else { return nil }
    return identity
  }

  /// Its functions end while its directory is still there.
  private static func isGoing(_ module: String) -> Bool { state(of: module) == "going" }

  private static func state(of module: String) -> String? {
    TextFile.read("/sys/module/\(module)/initstate").map { String($0.prefix { $0 != "\n" }) }
  }
}

extension Tracer {
  /// Lets go of modules that have been unloaded, and hooks those that have come. A module that was
  /// replaced between two looks is another one: its hooks went with the old one.
  package mutating func followModules() -> ModuleChanges {
    var changes = ModuleChanges()
    let now = Clock.monotonic()
    // The identities first: what is loaded after this look is seen by the next one.
    var coming: [(module: String, identity: UInt64)] = []
    for module in Hook.allModules {
      let known = followed[module]?.identity
      let identity = ModuleIdentity.current(of: module, known: known)
      if let known {
        if identity == known {
          followed[module]?.seenNs = now
          continue
        }
        release(module)
        changes.left.append(module)
      }
      if let identity { coming.append((module, identity)) }
    }
    guard !coming.isEmpty, let facts = try? KernelFacts.read(),
      facts.offers.symbols.symbols.values.contains(where: { $0.address != 0 })
    else {
      // Looked for again: what is hooked by then has another row.
      let waiting = plan.later().filter { row in
        row.hook.modules.contains { module in coming.contains { $0.module == module } }
      }
      plan.giveUp(
        waiting.map(\.hook.symbol), .notHooked("/proc/kallsyms shows no addresses"))
      return changes
    }
    for (module, identity) in coming {
      let before = followed[module]?.seenNs
      let hooks = attach(module, facts: facts)
      let then = Clock.monotonic()
      followed[module] = FollowedModule(identity: identity, seenNs: then)
      changes.came.append(.init(module: module, hooks: hooks, fromNs: before, toNs: then))
    }
    cprocess_release_memory()
    return changes
  }

  /// Modules that are hooked now.
  package var hookedModules: [String] {
    followed.filter { $0.value.identity != nil }.map(\.key).sorted()
  }

  /// How many hooks are attached.
  private mutating func attach(_ module: String, facts: KernelFacts) -> Int {
    while true {
      let fresh = HookPlan(offers: facts.offers, wish: settings.wish(refusals))
      for row in fresh.rows where row.module == module { plan.replace(row) }
      let rows = fresh.attached().filter { $0.module == module }
      guard !rows.isEmpty else { return 0 }
      do throws(ProgramGroup.Refusal) {
        let group = try ProgramGroup.load(rows, settings: settings, sharing: groups[0])
        group.module = module
        for failure in group.attachFailures { plan.markAbsent(failure.symbol, failure.why) }
        groups.append(group)
        return rows.count - group.attachFailures.count
      } catch {
        guard let symbol = error.symbol, refusals.add(symbol, error.detail) else {
          plan.giveUp(
            rows.map(\.hook.symbol), .notHooked(error.asKernelError.sentence))
          return 0
        }
      }
    }
  }

  private mutating func release(_ module: String) {
    let (gone, kept) = (
      groups.filter { $0.module == module }, groups.filter { $0.module != module }
    )
    for row in plan.attached() where row.module == module {
      let key = row.hook.id.rawValue
      var hook = retired[key] ?? RetiredHook(row: row)
      hook.row = row
      for group in gone {
        hook.skipped.merge(group.skipped(of: row)) { $0 &+ $1 }
      }
      retired[key] = hook
    }
    groups = kept
    plan.expect(module)
    followed[module]?.identity = nil
  }
}

extension HookPlan {
  /// Hooks in modules wait until each is hooked by itself.
  mutating func expectModules() {
    for module in Set(rows.filter(\.isAttached).compactMap(\.module)) { expect(module) }
  }

  mutating func expect(_ module: String) {
    for index in rows.indices where rows[index].module == module {
      rows[index].rung = .later
      rows[index].reason = .notLoaded(module: module)
    }
  }
}
