// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc

/// All that libbpf must be told to load one BPF object: which functions its programs are for, which of the kernel's
/// functions they call, and their constants. And what libbpf says meanwhile.
///
/// There is one at a time; it ends with the thread's use of it, after ``load(_:)``.
final class ProgramLoader {
  private let loader: OpaquePointer
  /// Modules' types, which the kernel holds for as long as these descriptors are open.
  private var modules: [String: CInt] = [:]

  init() {
    guard let loader = cbpf_loader_new() else { fatalError("out of memory") }
    self.loader = loader
  }

  deinit {
    cbpf_loader_free(loader)
    for handle in modules.values where handle >= 0 { close(handle) }
  }

  /// Where the functions are that fentry and fexit programs are for: libbpf would search all types for each program.
  /// A function without types is left out: its program is refused, as libbpf would.
  func setTargets(_ functions: [String: KernelTypes.Function]) {
    for (name, function) in functions {
      var handle: CInt = 0
      if let module = function.module {
        if modules[module] == nil { modules[module] = cbpf_module_types(module) }
        handle = modules[module] ?? -1
      }
      if handle >= 0 { _ = cbpf_loader_add_target(loader, name, function.id, handle) }
    }
  }

  /// libbpf looks for them itself.
  func forgetTargets() { cbpf_loader_forget_targets(loader) }

  /// Calls of `placeholder` (MRT_CALL_…) become calls of the kernel's function with this BTF id.
  func nameCall(_ placeholder: Int32, id: UInt32) { cbpf_loader_name_call(loader, placeholder, id) }

  /// Iterators are for the kernel's function with this BTF id.
  func setIterator(_ id: UInt32) { cbpf_loader_set_iterator(loader, id) }

  /// Programs are pruned by the constants in `map`.
  func setConstants(_ map: OpaquePointer) { cbpf_loader_set_constants(loader, map) }

  /// `types`: the file that CO-RE reads; nil: libbpf looks for one. nil, and `errno`: it could not be opened.
  func open(_ image: [UInt8], name: String, types: TypesFile?) -> OpaquePointer? {
    image.withUnsafeBytes { bytes in
      guard let types else {
        return cbpf_loader_open(loader, bytes.baseAddress, bytes.count, name, nil)
      }
      return cbpf_loader_open(loader, bytes.baseAddress, bytes.count, name, types.path)
    }
  }

  /// 0, or -errno. The types' file is read here.
  func load(_ object: OpaquePointer, types: TypesFile?) -> CInt {
    withExtendedLifetime((self, types)) { bpf_object__load(object) }
  }

  /// What libbpf has said so far.
  var log: String { String(cString: cbpf_loader_log(loader)) }
}
