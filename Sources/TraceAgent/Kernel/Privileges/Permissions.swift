// SPDX-License-Identifier: Apache-2.0

import CBPF
import CLinux
import Glibc
import Model

/// What stands between this process and tracing, found before the kernel is asked.
package enum Permissions {
  /// A privilege, and what cannot be done without it (docs/privileges.md has the measurements).
  package struct Want: Equatable, Sendable {
    package var capability: Capability
    package var purpose: String
    package init(_ capability: Capability, _ purpose: String) {
      self.capability = capability
      self.purpose = purpose
    }
  }

  /// Nothing works without these.
  package static let required = [
    Want(.bpf, "load BPF programs"), Want(.perfmon, "attach them and read kernel memory"),
  ]

  /// Needed where addresses are hidden from those without it, which is nearly everywhere.
  package static let symbols = Want(.syslog, "see the addresses in /proc/kallsyms")

  /// Something is lost without these, and said.
  package static let wanted = [
    Want(.sysAdmin, "hook the RDMA modules by fexit: kprobes serve, but lose returns under load"),
    Want(.sysPtrace, "name the functions in call stacks of other users' processes"),
  ]

  /// What every verb that traces is given in docs and sentences.
  package static let grant =
    "cap_bpf,cap_perfmon,cap_syslog,cap_sys_ptrace,cap_sys_admin"

  /// What is needed here and not there.
  package static func missing() -> [Want] {
    let have = Capabilities.effective()
    var missing = required.filter { !have.has($0.capability) }
    if !have.has(.syslog), KernelSymbols.areHidden(), KptrRestrict.current() != .always {
      missing.append(symbols)
    }
    if !have.has(.sysResource), let limit = MemlockLimit.obstacle() {
      missing.append(
        Want(.sysResource, "lock \(limit.needed >> 20) MiB for BPF maps on this kernel"))
    }
    if !have.has(.sysAdmin), ProbeAccess.current() == .none {
      missing.append(
        Want(.sysAdmin, "attach kprobes while kernel.perf_event_paranoid is more than 2"))
    }
    return missing
  }

  /// What is not there and would make a recording better.
  package static func weakening() -> [Want] {
    let have = Capabilities.effective()
    return wanted.filter { want in
      if want.capability == .sysPtrace, Privileges.mayReadMaps() { return false }
      // without module BTF in the kernel there is no fexit to lose
      return !have.has(want.capability)
        && (want.capability != .sysAdmin
          || ProbeAccess.release().map { $0 >= KernelRelease(5, 11) } ?? true)
    }
  }

  /// Capabilities that are needed and not effective.
  package static func missingCapabilities() -> [String] { missing().map(\.capability.name) }

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
    return missing().isEmpty && cbpf_may_read_kernel() == 0
  }

  package static func hasBTF() -> Bool { TextFile.exists("/sys/kernel/btf/vmlinux") }

  /// RLIMIT_MEMLOCK as this process was started with; .max for none.
  package static func memlock() -> (soft: UInt64, hard: UInt64) {
    let limit = cprivileges_memlock()
    return (limit.soft, limit.hard)
  }

  /// The first thing in the way, worst first; nil: nothing known.
  package static func obstacle() -> KernelError? {
    let missing = missing()
    if !missing.isEmpty {
      return .missingCapabilities(
        missing.map { "\($0.capability.name) (to \($0.purpose))" }, program: programPath())
    }
    if isLockedDown() { return .lockdown(mode: "confidentiality") }
    if !hasBTF() { return .noBTF }
    if let off = ProbeSwitches.current().off { return .probesOff(off) }
    return nil
  }

  /// Where this program lies, for a command to copy.
  package static func programPath() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard realpath("/proc/self/exe", &buffer) != nil else { return "mrtrace" }
    return buffer.withUnsafeBytes { String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self) }
  }
}

/// kernel.kptr_restrict.
package enum KptrRestrict: Equatable, Sendable {
  /// Addresses for those with CAP_SYSLOG; with 0 also where profiling is open to all.
  case privileged
  /// For nobody.
  case always

  package static func current(_ path: String = "/proc/sys/kernel/kptr_restrict") -> KptrRestrict {
    TextFile.read(path)?.trimmed == "2" ? .always : .privileged
  }
}

/// Before 5.11 BPF maps count against RLIMIT_MEMLOCK, which libbpf raises where it may.
package enum MemlockLimit {
  package struct Obstacle: Equatable, Sendable {
    package var limit: UInt64
    package var needed: UInt64
  }

  /// The ring buffer of 4 MiB and what else a recording holds there; measured on 5.10.
  package static let needed: UInt64 = 16 << 20

  package static func obstacle() -> Obstacle? {
    var name = utsname()
    guard uname(&name) == 0 else { return nil }
    let release = withUnsafeBytes(of: name.release) {
      String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    return obstacle(release: release, hard: cprivileges_memlock().hard)
  }

  static func obstacle(release: String, hard: UInt64) -> Obstacle? {
    guard let release = KernelRelease(release), release < KernelRelease(5, 11), hard < needed else {
      return nil
    }
    return Obstacle(limit: hard, needed: needed)
  }
}
