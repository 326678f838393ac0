// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc

/// What stands between this process and tracing, found before the kernel is asked.
package enum Permissions {
  /// From include/uapi/linux/capability.h. Module BTF needs CAP_SYS_ADMIN (BPF_BTF_GET_NEXT_ID).
  private static let needed: [(bit: Int, name: String)] = [
    (39, "CAP_BPF"), (38, "CAP_PERFMON"), (21, "CAP_SYS_ADMIN"),
  ]

  /// Capabilities that are needed and not effective.
  package static func missingCapabilities() -> [String] {
    guard let status = TextFile.read("/proc/self/status"),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
      let mask = line.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) })
    else { return [] }
    return needed.filter { mask >> UInt64($0.bit) & 1 == 0 }.map(\.name)
  }

  /// "confidentiality", "integrity", "none"; nil where the kernel has no lockdown or securityfs is not mounted.
  package static func lockdown() -> String? {
    guard let text = TextFile.read("/sys/kernel/security/lockdown"),
      let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]")
    else { return nil }
    return String(text[text.index(after: open)..<close])
  }

  /// BPF may not read kernel memory: told by securityfs, and where it is not mounted, by trying.
  package static func isLockedDown() -> Bool {
    if let mode = lockdown() { return mode == "confidentiality" }
    return missingCapabilities().isEmpty && cbpf_may_read_kernel() == 0
  }

  package static func hasBTF() -> Bool { TextFile.exists("/sys/kernel/btf/vmlinux") }

  /// The first thing in the way, worst first; nil: nothing known.
  package static func obstacle() -> KernelError? {
    let missing = missingCapabilities()
    if !missing.isEmpty { return .missingCapabilities(missing) }
    if isLockedDown() { return .lockdown(mode: "confidentiality") }
    if !hasBTF() { return .noBTF }
    return nil
  }
}
