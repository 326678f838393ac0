// SPDX-License-Identifier: Apache-2.0

import Model

/// The hook plan in one line, for the start of `record`.
package enum HookPlanText {
  /// "attached 20 of 24 hooks: 18 fexit, 2 kprobe; replayed: …; 2 waiting for module mlx5_ib; 1 not
  /// in this kernel".
  ///
  /// Never cut and without newline: what is missing stands at the end, and matters most.
  package static func line(_ hooks: [DoctorReport.Hook]) -> String {
    let attached = hooks.filter(\.rung.isAttached)
    var text = "attached \(attached.count) of \(Quantity.count(hooks.count, "hook"))"
    let rungs: [Rung] = [.fexit, .kprobe, .tracepoint]
    let counts = rungs.compactMap { rung -> String? in
      let count = attached.count { $0.rung == rung }
      return count > 0 ? "\(count) \(rung.rawValue)" : nil
    }
    if !counts.isEmpty { text += ": " + counts.joined(separator: ", ") }
    let replayed = hooks.filter { $0.rung == .replay }.map(\.hook)
    if !replayed.isEmpty { text += "; replayed: " + replayed.joined(separator: ", ") }
    let later = hooks.filter { $0.rung == .later }
    if !later.isEmpty { text += "; \(later.count) waiting for \(modules(later))" }
    let missing = hooks.count(where: \.isMissing)
    if missing > 0 { text += "; \(missing) left out or not attached" }
    let absent = hooks.count { $0.rung == .absent } - missing
    if absent > 0 { text += "; \(absent) not in this kernel" }
    return SafeText.clean(text)
  }

  private static func modules(_ hooks: [DoctorReport.Hook]) -> String {
    var names: [String] = []
    for name in hooks.compactMap(\.module) where !names.contains(name) { names.append(name) }
    switch names.count {
    case 0: return "their modules"
    case 1: return "module \(names[0])"
    default: return "modules " + names.joined(separator: ", ")
    }
  }
}
