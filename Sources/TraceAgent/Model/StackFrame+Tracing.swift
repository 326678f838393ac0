// SPDX-License-Identifier: Apache-2.0

extension StackFrame {
  /// A frame of the tracing itself, not of what is traced: this tracer's programs and others', the trampolines that run them, and
  /// what lies between a probe and its function. Addresses of trampolines have the name of what lies before them, such as a
  /// neighbouring program or ftrace_trampoline, where they had gone before they were named.
  package var isTracing: Bool {
    guard let name else { return false }
    let function = name.prefix { $0 != "+" }
    return Self.prefixes.contains { function.hasPrefix($0) } || Self.functions.contains(function)
  }

  private static let prefixes = [
    "bpf_prog_", "bpf_trampoline_", "bpf_dispatcher_", "bpf_image_", "__bpf_prog_enter",
    "__bpf_prog_exit", "__bpf_tramp_", "bpf_get_stack", "__bpf_get_stack", "bpf_trace_run",
    "__bpf_trace_", "__traceiter_", "ftrace_trampoline", "kprobe_multi_link_", "fprobe_",
    "kprobe_trampoline", "kprobe_insn_page", "kprobe_optinsn_page", "rethook_trampoline",
  ]

  private static let functions: Set<Substring> = [
    "trace_call_bpf", "kprobe_perf_func", "kretprobe_perf_func", "kprobe_dispatcher",
    "kretprobe_dispatcher", "kprobe_ftrace_handler", "kprobe_int3_handler", "optimized_callback",
    "opt_pre_handler", "aggr_pre_handler", "pre_handler_kretprobe", "kretprobe_trampoline",
    "__kretprobe_trampoline", "__kretprobe_trampoline_handler", "trampoline_handler",
    "kretprobe_rethook_handler", "arch_rethook_trampoline", "arch_rethook_trampoline_callback",
    "ftrace_caller", "ftrace_regs_caller", "ftrace_regs_call", "ftrace_call",
    "ftrace_ops_list_func", "ftrace_ops_assist_func", "arch_ftrace_ops_list_func",
    "return_to_handler", "ftrace_return_to_handler", "perf_trace_run_bpf_submit",
  ]
}

extension Operation {
  /// Takes the frames of the tracing out of its kernel stack: it begins with what was traced. Before 5.15 the kernel does not see
  /// past a kretprobe, and nothing is left.
  package mutating func dropTracingFrames() {
    if kernelStack.contains(where: \.isTracing) { kernelStack.removeAll(where: \.isTracing) }
  }
}
