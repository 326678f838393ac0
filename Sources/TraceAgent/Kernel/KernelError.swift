// SPDX-License-Identifier: Apache-2.0

import Model

/// Why tracing cannot start or go on. One sentence each, which says what to do.
package enum KernelError: Error, Equatable, Sendable {
  case notLinux64
  /// What is missing and for what; where this program lies.
  case missingCapabilities([String], program: String)
  case noBTF
  case lockdown(mode: String)
  case bpfRefused(step: String, errno: Errno, detail: String)
  case symbolsUnreadable(Errno)
  case symbolsHidden
  case nothingToHook
  /// Nothing that fails would be seen: the sentence.
  case blind(String)
  /// Hooks would be attached and never run: the sentence.
  case probesOff(String)
  case processGone(pid: Int)
  /// `--device`: what the RDMA core's structures look like is not known.
  case devicesUnknown
  case system(call: String, errno: Errno)

  package var sentence: String {
    switch self {
    case .notLinux64:
      return "this kernel's architecture is not supported: mrtrace reads x86-64 page tables only"
    case .missingCapabilities(let wants, let program):
      return "tracing needs \(wants.joined(separator: ", ")), which this process does not have: "
        + "run it as root (sudo mrtrace …), or give the program what it needs (sudo setcap "
        + "\(Permissions.grant)+ep \(program))"
    case .noBTF:
      return "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): mrtrace needs a kernel "
        + "built with CONFIG_DEBUG_INFO_BTF=y, as distributions build it"
    case .lockdown(let mode):
      return
        "the kernel is locked down (\(mode), see /sys/kernel/security/lockdown), so BPF programs "
        + "may not read kernel memory: boot with Secure Boot off or with lockdown=integrity or none"
    case .bpfRefused(let step, let errno, let detail):
      let why = detail.isEmpty ? "" : " (\(detail))"
      return "the kernel refused to \(step): \(errno)\(why)"
    case .symbolsUnreadable(let errno):
      return "/proc/kallsyms cannot be read: \(errno); is /proc mounted?"
    case .symbolsHidden:
      return "the kernel hides its symbols' addresses (kernel.kptr_restrict): as root, "
        + "`sysctl kernel.kptr_restrict=1` shows them to CAP_SYSLOG"
    case .nothingToHook:
      return "none of the functions that mrtrace watches exists in this kernel: is the RDMA core "
        + "(ib_uverbs) built or loaded? Try `modprobe ib_uverbs`, and see `mrtrace doctor`"
    case .blind(let sentence), .probesOff(let sentence):
      return sentence
    case .processGone(let pid):
      return "there is no process \(pid)"
    case .devicesUnknown:
      return "this kernel does not describe the types of its RDMA modules "
        + "(/sys/kernel/btf/ib_core is missing), so operations cannot be told apart by device: leave --device out"
    case .system(let call, let errno):
      return "\(call) failed: \(errno)"
    }
  }
}
