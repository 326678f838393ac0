// SPDX-License-Identifier: Apache-2.0

import Model

extension KernelFacts {
  /// The stable release this kernel was made from. Debian's release names an ABI, its version the
  /// stable release ("#1 SMP Debian 5.10.223-1 (2024-08-10)").
  package var stableRelease: KernelRelease? {
    KernelFacts.stableRelease(release: release, version: version)
  }

  package static func stableRelease(release: String, version: String) -> KernelRelease? {
    version.split(separator: " ").drop(while: { $0 != "Debian" }).dropFirst().first
      .flatMap { KernelRelease(String($0)) } ?? KernelRelease(release)
  }
}
