// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A file in memory with the types that our programs ask for, for libbpf to read by its path.
final class TypesFile {
  private let descriptor: CInt
  var path: String { "/proc/self/fd/\(descriptor)" }

  /// Empty; nil where it cannot be made.
  init?() {
    descriptor = cfiles_in_memory("mrtrace-btf")
    guard descriptor >= 0 else { return nil }
  }

  /// With the types of these names. False where that cannot be done.
  func fill(_ types: KernelTypes, names: [String]) -> Bool {
    guard let pruned = PrunedBTF(types, names: names) else { return false }
    return pruned.bytes.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        let n = write(descriptor, rest.baseAddress, rest.count)
        guard n > 0 else { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[n...])
      }
      return true
    }
  }

  deinit { close(descriptor) }
}
