// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc

/// A file in memory with the types of the kernel and its modules, for libbpf to read by its path.
final class TypesFile {
  private let descriptor: CInt
  private init(descriptor: CInt) { self.descriptor = descriptor }
  var path: String { "/proc/self/fd/\(descriptor)" }

  /// The kernel and those of `modules` that have BTF; nil where there is none to add, or it cannot be done.
  static func make(modules: Set<String>, from directory: String = "/sys/kernel/btf") -> TypesFile? {
    let files = modules.sorted().compactMap { TextFile.bytes("\(directory)/\($0)") }
    guard !files.isEmpty, let kernel = TextFile.bytes("\(directory)/vmlinux"),
      let merged = MergedBTF(kernel: kernel, modules: files)
    else { return nil }
    let descriptor = cbpf_memory_file("mrtrace-btf")
    guard descriptor >= 0 else { return nil }
    let whole = merged.bytes.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        let n = write(descriptor, rest.baseAddress, rest.count)
        guard n > 0 else { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[n...])
      }
      return true
    }
    guard whole else {
      close(descriptor)
      return nil
    }
    return TypesFile(descriptor: descriptor)
  }

  deinit { close(descriptor) }
}
