// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc

/// Where the functions are that fentry and fexit programs are for: libbpf would search all types for each program.
///
/// Holds the modules' types in the kernel for as long as it is needed.
final class TraceTargets {
  private var names: [UnsafeMutablePointer<CChar>] = []
  private var modules: [String: CInt] = [:]

  /// A function without types is left out: its program is refused, as libbpf would.
  init(_ functions: [String: KernelTypes.Function]) {
    var targets: [cbpf_target] = []
    for (name, function) in functions {
      guard let name = strdup(name) else { continue }
      names.append(name)
      var handle: CInt = 0
      if let module = function.module {
        if modules[module] == nil { modules[module] = cbpf_module_types(module) }
        handle = modules[module] ?? -1
      }
      if handle >= 0 {
        targets.append(cbpf_target(function: name, id: function.id, module: handle))
      }
    }
    targets.withUnsafeBufferPointer { cbpf_set_targets($0.baseAddress, $0.count) }
  }

  deinit {
    cbpf_set_targets(nil, 0)
    for handle in modules.values where handle >= 0 { close(handle) }
    for name in names { free(name) }
  }
}
