// SPDX-License-Identifier: Apache-2.0

import CEvents
import Kernel
import Model
import Terminal

extension DoctorChecks {
  static func core(_ plan: HookPlan) -> Check {
    let core = plan.rows.filter { $0.hook.modules.contains("ib_uverbs") }
    if core.contains(where: \.isAttached) {
      return .init(name: "RDMA core", status: .ok, detail: "ib_uverbs is there")
    }
    if core.allSatisfy({ $0.rung != .later }) {
      return .init(name: "RDMA core", status: .ok, detail: "ib_uverbs is there, and not hooked")
    }
    return .init(
      name: "RDMA core", status: .warn,
      detail:
        "ib_uverbs is not loaded: nothing can be registered yet; record attaches when it comes",
      fix: "sudo modprobe ib_uverbs")
  }

  /// Without the functions where operations begin there is nothing to record.
  static func sight(_ sight: Sight) -> Check {
    let name = "sight"
    if sight.seesNothing { return .init(name: name, status: .fail, detail: sight.refusal) }
    let blind = sight.blindness
    return blind.isEmpty
      ? .init(
        name: name, status: .ok,
        detail: sight.waits
          ? "operations will be seen when ib_uverbs is loaded"
          : "all operations that may fail are seen")
      : .init(name: name, status: .warn, detail: blind.joined(separator: " "))
  }

  static func direct(_ plan: HookPlan) -> Check {
    let row = plan.rows.first { $0.hook.id == MRT_HOOK_HANDLE_PTE }
    switch row?.rung {
    case .fexit, .kprobe:
      return .init(
        name: "page decisions", status: .ok, detail: "hmm_vma_handle_pte is hooked directly")
    case .replay:
      return .init(
        name: "page decisions", status: .ok,
        detail: "hmm_vma_handle_pte is inlined: its decision is replayed")
    default:
      return .init(
        name: "page decisions", status: .warn,
        detail: "neither hmm_vma_handle_pte nor hmm_vma_walk_pmd can be hooked")
    }
  }

  static func hooks(_ plan: HookPlan) -> Check {
    let lost = plan.rows.filter { $0.rung == .absent && $0.hook.withoutIt != nil }
    if lost.isEmpty {
      return .init(name: "hooks", status: .ok, detail: "all that this kernel has")
    }
    return .init(
      name: "hooks", status: .warn,
      detail: lost.map { "\($0.hook.symbol): \($0.hook.withoutIt ?? "")" }.joined(separator: "; "))
  }

  static func devices(_ devices: [RDMADevice]) -> Check {
    if devices.isEmpty {
      return .init(
        name: "RDMA devices", status: .warn, detail: "none",
        fix: "sudo rdma link add rxe0 type rxe netdev ETH (soft-RoCE)")
    }
    let closed = devices.filter { $0.hasODP == nil }
    let odp = devices.filter { $0.hasODP == true }.map(\.name)
    var parts = [
      odp.isEmpty
        ? "\(devices.count), none known to page on demand"
        : "\(odp.joined(separator: ", ")) can page on demand"
    ]
    for device in closed {
      parts.append("\(device.name) could not be asked: \(device.error.map { "\($0)" } ?? "?")")
    }
    return .init(
      name: "RDMA devices", status: .info, detail: parts.joined(separator: "; "),
      fix: closed.contains { $0.error == Errno(rawValue: 13) }
        ? "sudo mrtrace doctor, or have udev give you /dev/infiniband/uverbs*" : nil)
  }
}
