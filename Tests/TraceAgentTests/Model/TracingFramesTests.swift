// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

/// Kernel stacks as recordings of the lab's kernels had them.
@Suite struct TracingFramesTests {
  private static let ends = ["__x64_sys_ioctl", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"]

  static let recorded: [(kernel: String, frames: [String], first: String)] = [
    // fexit, trampolines named while they were there, and after
    (
      "7.3",
      [
        "bpf_prog_c88c51e724704d2b_send_stack+0x8e",
        "bpf_prog_600cc347ad728c22_fexit__hmm_vma_walk_hole+0x70e",
        "bpf_trampoline_57982197656+0x8fc", "walk_page_range_mm_unsafe+0x13f",
        "hmm_range_fault_locked+0x97", "bpf_trampoline_57982197656+0x5b9",
        "hmm_range_fault_unlocked_timeout+0xd8", "ib_umem_odp_map_dma_and_lock+0x179",
      ], "walk_page_range_mm_unsafe"
    ),
    (
      "7.3",
      [
        "bpf_prog_1568441b5adb881d_send_stack+0x5d",
        "bpf_prog_5dbc5c3be92acbaa_fexit__hmm_vma_walk_hole+0x690",
        "bpf_prog_a9cac6ddb12a88d8_number_of_process+0x928", "walk_page_range_mm_unsafe+0x13f",
        "hmm_range_fault_locked+0x97", "bpf_prog_a9cac6ddb12a88d8_number_of_process+0x3e5",
      ], "walk_page_range_mm_unsafe"
    ),
    (
      "6.1",
      [
        "bpf_prog_81a6f197b0fac090_send_stack+0x7b",
        "bpf_prog_0d2eb148af571d9a_fexit__ib_uverbs_reg_mr+0x20b", "ftrace_trampoline+0x20a1",
        "ib_uverbs_reg_mr+0x5", "ib_uverbs_handler_UVERBS_METHOD_INVOKE_WRITE+0xd0",
        "ib_uverbs_cmd_verbs+0xbbc",
      ], "ib_uverbs_reg_mr"
    ),
    // kretprobes take theirs from the registers: nothing of the tracing is in it
    (
      "6.1, kprobes",
      ["ib_uverbs_handler_UVERBS_METHOD_INVOKE_WRITE+0xd0", "ib_uverbs_cmd_verbs+0xbbc"],
      "ib_uverbs_handler_UVERBS_METHOD_INVOKE_WRITE"
    ),
  ]

  private func operation(_ frames: [String?]) -> Operation {
    var operation = Operation(
      kind: .regMR, runner: .init(pid: 1, tid: 1, comm: "a"), endNs: 1, result: -14)
    operation.kernelStack = frames.enumerated().map {
      StackFrame(address: 0xffff_ffff_8100_0000 + UInt64($0) * 64, name: $1)
    }
    return operation
  }

  @Test(arguments: recorded)
  func stacksBeginWithWhatWasTraced(
    _ recorded: (kernel: String, frames: [String], first: String)
  ) throws {
    let frames = recorded.frames + Self.ends
    var operation = operation(frames)
    operation.dropTracingFrames()
    let names = operation.kernelStack.compactMap(\.name)
    #expect(names.first?.prefix { $0 != "+" } ?? "" == recorded.first)
    #expect(!names.contains { $0.contains("bpf") || $0.contains("ftrace") })
    // all that was traced, in its order
    #expect(names == frames.filter { !$0.contains("bpf") && !$0.contains("ftrace") })
  }

  /// Functions of the kernel whose names look alike.
  @Test(arguments: [
    "bpf_map_update_elem+0x1", "kprobe_register+0x2", "ftrace_set_filter_ip+0x3",
    "rxe_odp_do_pagefault",
    "hmm_vma_walk_pmd", "__do_sys_bpf+0x9",
  ])
  func otherFunctionsStay(_ name: String) {
    var operation = operation([name, "do_syscall_64+0x5d"])
    operation.dropTracingFrames()
    #expect(operation.kernelStack.count == 2)
  }

  @Test func whatHasNoNameStays() {
    var operation = operation([nil, "bpf_prog_81a6f197b0fac090_send_stack+0x7b", nil])
    operation.dropTracingFrames()
    #expect(operation.kernelStack.map(\.name) == [nil, nil])
    // all that 5.10 sees from a kretprobe
    operation.kernelStack = [.init(address: 1, name: "kretprobe_trampoline+0x0")]
    operation.dropTracingFrames()
    #expect(operation.kernelStack.isEmpty)
  }
}
