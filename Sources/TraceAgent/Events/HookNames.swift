// SPDX-License-Identifier: Apache-2.0

import Model

/// Hook numbers of events.h to the kernel functions they watch, by their names in the kernel's
/// source.
package struct HookNames: Equatable, Sendable {
  private var names: [UInt32: String]

  /// The names of events.h, where `symbols` (of a hook plan) does not say otherwise: hook 36 is
  /// `ib_umem_get`, but `__ib_umem_get_va` on 7.x.
  ///
  /// A compiler's suffix (".isra.0", ".constprop.0") is no part of a name in the source and is
  /// dropped.
  package init(symbols: [UInt32: String] = [:]) {
    names = Self.usual
    for (hook, symbol) in symbols {
      let name = symbol.prefix { $0 != "." }
      if !name.isEmpty { names[hook] = String(name) }
    }
  }

  /// "hook 99" for a number of a later version.
  package subscript(hook: UInt32) -> String { names[hook] ?? "hook \(hook)" }

  /// All hooks this version knows, and their names in events.h; of two the older kernels' one.
  package static let usual: [UInt32: String] = Dictionary(
    WatchedFunction.all.map { ($0.number, $0.name) }, uniquingKeysWith: { older, _ in older })
}
