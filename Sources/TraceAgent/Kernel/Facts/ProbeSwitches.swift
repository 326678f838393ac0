// SPDX-License-Identifier: Apache-2.0

/// The kernel's switches that let hooks be attached and never run.
package struct ProbeSwitches: Equatable, Sendable {
  /// kernel.ftrace_enabled, the sysctl: off, functions are not patched, neither for trampolines nor for kprobes at their entry.
  package var ftrace: String?
  /// /sys/kernel/debug/kprobes/enabled; nil where debugfs is not mounted.
  package var kprobes: String?

  package init(ftrace: String?, kprobes: String?) {
    self.ftrace = ftrace
    self.kprobes = kprobes
  }

  package static func current() -> ProbeSwitches {
    ProbeSwitches(
      ftrace: TextFile.read("/proc/sys/kernel/ftrace_enabled"),
      kprobes: TextFile.read("/sys/kernel/debug/kprobes/enabled"))
  }

  package var isFtraceOff: Bool { ftrace?.trimmed == "0" }
  package var areKprobesOff: Bool { kprobes?.trimmed == "0" }

  /// Nothing can be seen so: the sentence. Kprobes that are off cost those hooks alone (``HookPlan/Wish/kprobesAreOff``).
  package var off: String? {
    isFtraceOff
      ? "ftrace is switched off (kernel.ftrace_enabled is 0), so hooks could be attached and would never run: "
        + "sudo sysctl kernel.ftrace_enabled=1" : nil
  }
}
