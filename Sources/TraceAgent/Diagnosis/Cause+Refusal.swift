// SPDX-License-Identifier: Apache-2.0

import Model

// What ends an operation whatever its memory is: a control group's limit, a device that is gone, a
// task that is to die.
extension Cause {
  static let refusalCauses: [Cause] = [
    Cause(
      "rdma-cgroup-limit", sites: ["Q1"],
      brief: "the control group has as many RDMA objects as it may have",
      errnos: [.again],
      check: "rdmacg_try_charge(): usage + 1 > max in the task's control group or one above it",
      advice: [
        "Raise the group's limit (\"rxe0 hca_object=…\" into its rdma.max; in a container or a "
          + "service whatever sets it), or have the process keep fewer objects: every protection "
          + "domain, completion queue, queue pair and MR is one.",
        "rdma.current of the group says how many there are; a process that registers and never "
          + "deregisters reaches any limit.",
      ],
      references: [
        "kernel/cgroup/rdma.c: rdmacg_try_charge()",
        "Documentation/admin-guide/cgroup-v2.rst: RDMA",
      ]
    ) { failure in
      guard failure.errno == .again, failure.isRegistration, failure.isBare,
        let refusal = failure.refusal(.rdmaCgroup), let usage = refusal.usage,
        let limit = refusal.limit
      else { return nil }
      return Finding(
        .proved,
        because: "\(failure.group(refusal)) has \(usage) of the \(limit) objects of the device"
          + "\(failure.named) that its limit allows (hca_object in rdma.max)",
        links: [.init(function: "rdmacg_try_charge", result: .errno(.again), seen: .replayed)])
    },
    Cause(
      "device-removed", sites: ["Q2"],
      brief: "the device is gone: removed, reset, or its driver unloaded",
      errnos: [.io],
      check: "ib_uverbs_get_ucontext_file(): ib_uverbs_device.ib_dev is NULL",
      advice: [
        "Close the device and open it again: what was made with it is gone. The program learns of it "
          + "by IBV_EVENT_DEVICE_FATAL.",
        "See dmesg for why: a driver that was unloaded, a firmware error and its reset, a PCI device "
          + "unplugged or given to a virtual machine, \"rdma link delete\".",
      ],
      references: [
        "drivers/infiniband/core/uverbs_main.c: ib_uverbs_remove_one()",
        "drivers/infiniband/core/rdma_core.c: alloc_uobj()",
      ]
    ) { failure in
      guard failure.errno == .io, failure.isBare, let refusal = failure.refusal(.deviceRemoved)
      else {
        return nil
      }
      return Finding(
        .proved,
        because: "the device\(refusal.device.map { " of \($0)" } ?? "") was removed while the "
          + "process had it open",
        links: [
          .init(function: "ib_uverbs_get_ucontext_file", result: .errno(.io), seen: .replayed)
        ])
    },
    Cause(
      "killed", sites: ["Q11"],
      brief: "the process is being killed, and the kernel gives up what it was doing for it",
      errnos: [.intr, .again],
      check: "__get_user_pages(), mmap_read_lock_killable(): SIGKILL is pending",
      advice: [
        "The failure is not the registration's: find out who kills the process. A scheduler or a "
          + "container's runtime at a time limit, or an operator: its log.",
        "Out of memory: see dmesg. Raise memory.max of the control group, or give the process less to "
          + "pin: pinned pages are charged to the group and cannot be reclaimed.",
      ],
      references: [
        "mm/gup.c: __get_user_pages()", "mm/oom_kill.c: oom_kill_process()", "signal(7)",
      ], find: killed),
  ]

  /// Whatever is to end a thread is SIGKILL to it by then: EINTR has no other reason in a pin.
  @Sendable private static func killed(_ failure: Failure) -> Finding? {
    guard let refusal = failure.refusal(.killed), [.intr, .again].contains(failure.errno) else {
      return nil
    }
    let deepest = failure.layers.first
    let isWaiting =
      failure.errno == .intr || failure.pinRequest?.errno == .again
    return Finding(
      isWaiting ? .proved : .inferred,
      because: "the process is being killed\(failure.killer(refusal)), and the kernel broke off "
        + (deepest.map { "\($0.function)()" } ?? "what it was doing for it")
        + (isWaiting ? "" : ", unless it failed for another reason just before"),
      links: [.init(function: "fatal_signal_pending", result: .word("true"), seen: .replayed)])
  }
}

extension Failure {
  func refusal(_ what: RefusalEvidence.What) -> RefusalEvidence? {
    operation.refusals.last { $0.what == what }
  }

  /// "control group /box", "control group /box, above the process's own /box/job,".
  fileprivate func group(_ refusal: RefusalEvidence) -> String {
    guard let path = refusal.cgroupPath else { return "a control group of the process" }
    guard let own = operation.owner?.cgroupPath, own != path else { return "control group \(path)" }
    return "control group \(path), above the process's own \(own),"
  }

  fileprivate func killer(_ refusal: RefusalEvidence) -> String {
    switch refusal.killer {
    case .signal(let number): return " by \(Signals.name(number))"
    case .exit: return ": another of its threads called exit()"
    case .exec: return ": another of its threads called exec()"
    case .outOfMemory: return " for want of memory (by the out-of-memory killer)"
    case .host: return " for want of memory of the machine (by the out-of-memory killer)"
    case .memoryCgroup:
      var text = " for want of memory of \(group(refusal))"
      if text.hasSuffix(",") { text.removeLast() }
      if let usage = refusal.usage, let limit = refusal.limit {
        text += " (\(count(usage, "page")) of the \(count(limit, "page")) of its limit)"
      }
      return text
    case .unknown: return ""
    }
  }
}

/// Signals by their number on x86 and arm64.
private enum Signals {
  static func name(_ number: Int) -> String { names[number] ?? "signal \(number)" }

  private static let names: [Int: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE",
    14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 26: "SIGVTALRM", 27: "SIGPROF",
    29: "SIGIO", 30: "SIGPWR", 31: "SIGSYS",
  ]
}
