// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc
import Model

/// How kprobes may be attached by this process.
package enum ProbeAccess: Equatable, Sendable {
  /// By perf events, as on any kernel.
  case perf
  /// By a link of their own (kprobe.multi, Linux 5.18 with CONFIG_FPROBE), which asks for nothing but CAP_PERFMON.
  case link
  /// Not at all.
  case none

  package static func current() -> ProbeAccess {
    of(
      paranoid: TextFile.read("/proc/sys/kernel/perf_event_paranoid").flatMap { Int($0.trimmed) },
      isAdmin: Capabilities.effective().has(.sysAdmin), hasLinks: hasLinks())
  }

  /// What is left without CAP_SYS_ADMIN.
  static func withoutAdmin() -> ProbeAccess {
    of(
      paranoid: TextFile.read("/proc/sys/kernel/perf_event_paranoid").flatMap { Int($0.trimmed) },
      isAdmin: false, hasLinks: hasLinks())
  }

  /// From level 3 on, which Debian and Ubuntu have added and Debian sets, perf events take CAP_SYS_ADMIN.
  static func of(paranoid: Int?, isAdmin: Bool, hasLinks: @autoclosure () -> Bool) -> ProbeAccess {
    if isAdmin || (paranoid ?? 2) <= 2 { return .perf }
    return hasLinks() ? .link : .none
  }

  /// Tried, and where nothing can be tried because more is missing, by the release.
  private static func hasLinks() -> Bool {
    switch cbpf_has_probe_links() {
    case 0: false
    case 1: true
    default: release().map { $0 >= KernelRelease(5, 18) } ?? false
    }
  }

  static func release() -> KernelRelease? {
    var name = utsname()
    guard uname(&name) == 0 else { return nil }
    return KernelRelease(
      withUnsafeBytes(of: name.release) {
        String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
      })
  }
}
