// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Terminal

/// What `doctor` says of each thing it looks at: functions of values, so that every answer can be tested.
enum DoctorChecks {
  typealias Check = DoctorReport.Check

  /// Without these nothing can be recorded.
  static let neededOptions = [
    "CONFIG_BPF_SYSCALL", "CONFIG_BPF_EVENTS", "CONFIG_KPROBES", "CONFIG_KALLSYMS_ALL",
    "CONFIG_DEBUG_INFO_BTF",
  ]
  /// Without these something is missing.
  static let usefulOptions = [
    ("CONFIG_BPF_JIT", "no fexit hooks"),
    ("CONFIG_DEBUG_INFO_BTF_MODULES", "modules are hooked by kprobes"),
    ("CONFIG_INFINIBAND_ON_DEMAND_PAGING", "no on-demand paging in this kernel"),
    ("CONFIG_FS_DAX", "no fsdax in this kernel"),
    ("CONFIG_ZONE_DEVICE", "no pages for persistent memory"),
  ]

  /// `proves`: what the running kernel shows by itself that it has (a file, a symbol), whatever a configuration says.
  static func config(_ config: KernelConfig?, proves: (String) -> Bool) -> Check {
    let name = "kernel configuration"
    guard let config else {
      let unproved = neededOptions.filter { !proves($0) }
      return unproved.isEmpty
        ? .init(
          name: name, status: .ok, detail: "not found; the running kernel shows what is needed")
        : .init(
          name: name, status: .info,
          detail: "not found, and nothing shows \(unproved.joined(separator: ", "))")
    }
    func has(_ option: String) -> Bool { config.has(option) || proves(option) }
    let missing = neededOptions.filter { !has($0) }
    if !missing.isEmpty {
      return .init(
        name: name, status: .fail,
        detail: "\(missing.joined(separator: ", ")) not set (\(config.source))",
        fix: "install a kernel with \(missing.map { "\($0)=y" }.joined(separator: " "))")
    }
    let lacks = usefulOptions.filter { !has($0.0) }
    if lacks.isEmpty {
      return .init(name: name, status: .ok, detail: "all that is needed (\(config.source))")
    }
    return .init(
      name: name, status: .warn,
      detail: lacks.map { "\($0.0) not set: \($0.1)" }.joined(separator: "; "),
      fix: "install a kernel with \(lacks.map { "\($0.0)=y" }.joined(separator: " "))")
  }

  static func kernelBTF(_ isThere: Bool) -> Check {
    isThere
      ? .init(name: "kernel BTF", status: .ok, detail: "/sys/kernel/btf/vmlinux")
      : .init(
        name: "kernel BTF", status: .fail,
        detail: "the kernel was built without CONFIG_DEBUG_INFO_BTF",
        fix: "install a kernel with BTF")
  }

  /// `loaded`: modules; `watched`: those with functions that are hooked.
  static func moduleBTF(_ btf: Set<String>, loaded: Set<String>, watched: Set<String>) -> Check {
    let name = "module BTF"
    let mine = watched.intersection(loaded).sorted()
    let without = mine.filter { !btf.contains($0) }
    if mine.isEmpty {
      return .init(name: name, status: .ok, detail: "no module that is watched is loaded")
    }
    if without.isEmpty {
      return .init(name: name, status: .ok, detail: mine.joined(separator: ", "))
    }
    // Normal before 5.11, where the layouts of the one release in use are known.
    return .init(
      name: name, status: .info,
      detail: "none for \(without.joined(separator: ", ")): hooked by kprobes")
  }

  static func lockdown(_ mode: String?, refused: Bool) -> Check {
    if refused || mode == "confidentiality" {
      return .init(
        name: "lockdown", status: .fail,
        detail: "confidentiality: BPF programs may not read kernel memory",
        fix: "boot with Secure Boot off, or with lockdown=integrity")
    }
    return .init(
      name: "lockdown", status: .ok,
      detail: mode ?? "BPF may read kernel memory (securityfs is not mounted)")
  }

  static func symbols(hidden: Bool, restrict: KptrRestrict, mayReadSyslog: Bool) -> Check {
    let name = "kernel symbols"
    guard hidden else { return .init(name: name, status: .ok, detail: "addresses are readable") }
    if restrict == .always {
      return .init(
        name: name, status: .fail, detail: "addresses are hidden from all (kptr_restrict is 2)",
        fix: "sudo sysctl kernel.kptr_restrict=1")
    }
    return .init(
      name: name, status: .fail,
      detail: mayReadSyslog
        ? "addresses are hidden" : "addresses are hidden from processes without CAP_SYSLOG",
      fix: "sudo mrtrace doctor")
  }

  static func probes(_ switches: ProbeSwitches, paranoid: String?) -> Check {
    let name = "probes"
    if switches.areKprobesOff, !switches.isFtraceOff {
      return .init(
        name: name, status: .warn, detail: "kprobes are switched off: attached, they would not run",
        fix: "echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled")
    }
    if switches.isFtraceOff {
      return .init(
        name: name, status: .fail,
        detail: "ftrace is switched off: hooks could be attached and would never run",
        fix: "sudo sysctl kernel.ftrace_enabled=1")
    }
    let level = paranoid.map { ", perf_event_paranoid \($0.trimmed): no matter with CAP_PERFMON" }
    return .init(name: name, status: .ok, detail: "ftrace on\(level ?? "")")
  }
}
