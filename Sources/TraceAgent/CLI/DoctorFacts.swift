// SPDX-License-Identifier: Apache-2.0

import CEvents
import Glibc
import Kernel
import Model
import Terminal

/// What `doctor` looks at, in the order in which it must be mended.
enum DoctorFacts {
  static func report() -> DoctorReport {
    var checks: [DoctorReport.Check] = []
    let missing = Permissions.missingCapabilities()
    checks.append(
      missing.isEmpty
        ? .init(name: "privileges", status: .ok, detail: "CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN")
        : .init(
          name: "privileges", status: .fail,
          detail: "\(missing.joined(separator: ", ")) missing", fix: "sudo mrtrace doctor"))
    checks.append(lockdown())
    checks.append(
      Permissions.hasBTF()
        ? .init(name: "kernel BTF", status: .ok, detail: "/sys/kernel/btf/vmlinux")
        : .init(
          name: "kernel BTF", status: .fail,
          detail: "the kernel was built without CONFIG_DEBUG_INFO_BTF",
          fix: "install a kernel with BTF"))

    let facts: KernelFacts
    do throws(KernelError) {
      facts = try KernelFacts.read()
    } catch {
      checks.append(.init(name: "kernel", status: .fail, detail: error.sentence))
      return DoctorReport(
        release: "unknown", machine: "unknown", status: .fail, verdict: error.sentence,
        checks: checks)
    }
    let plan = HookPlan(offers: facts.offers, wish: .init())
    let devices = RDMADevice.all()
    checks.append(symbols(facts))
    checks.append(core(plan))
    checks.append(direct(plan))
    checks.append(hmm(plan))
    checks.append(device(devices))
    checks.append(knownBug(facts))
    let status = worst(checks)
    return DoctorReport(
      release: facts.release, machine: facts.machine, status: status,
      verdict: verdict(status, checks, plan), checks: checks, hooks: rows(of: plan),
      devices: devices.map(row), mounts: DAXMount.all().map(row))
  }

  // MARK: - Checks

  private static func lockdown() -> DoctorReport.Check {
    switch Permissions.isLockedDown() ? "confidentiality" : Permissions.lockdown() {
    case nil:
      return .init(
        name: "lockdown", status: .ok,
        detail: "BPF may read kernel memory (securityfs is not mounted)")
    case "confidentiality":
      return .init(
        name: "lockdown", status: .fail,
        detail: "confidentiality: BPF programs may not read kernel memory",
        fix: "boot with Secure Boot off, or with lockdown=integrity")
    case let mode?:
      return .init(name: "lockdown", status: .ok, detail: mode)
    }
  }

  private static func symbols(_ facts: KernelFacts) -> DoctorReport.Check {
    if facts.offers.symbols.symbols.values.contains(where: { $0.address != 0 }) {
      return .init(name: "kernel symbols", status: .ok, detail: "addresses are readable")
    }
    return .init(
      name: "kernel symbols", status: .fail, detail: "addresses are hidden (kptr_restrict)",
      fix: "sysctl kernel.kptr_restrict=1, as root")
  }

  private static func core(_ plan: HookPlan) -> DoctorReport.Check {
    let core = plan.rows.filter { $0.hook.modules.contains("ib_uverbs") }
    if core.contains(where: \.isAttached) {
      return .init(name: "RDMA core", status: .ok, detail: "ib_uverbs is there")
    }
    return .init(
      name: "RDMA core", status: .warn,
      detail:
        "ib_uverbs is not loaded: nothing can be registered yet; record attaches when it comes",
      fix: "modprobe ib_uverbs")
  }

  private static func direct(_ plan: HookPlan) -> DoctorReport.Check {
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

  private static func hmm(_ plan: HookPlan) -> DoctorReport.Check {
    let lost = plan.rows.filter { $0.rung == .absent && $0.hook.withoutIt != nil }
    if lost.isEmpty {
      return .init(name: "hooks", status: .ok, detail: "all that this kernel has")
    }
    return .init(
      name: "hooks", status: .warn,
      detail: lost.map { "\($0.hook.symbol): \($0.hook.withoutIt ?? "")" }.joined(separator: "; "))
  }

  private static func device(_ devices: [RDMADevice]) -> DoctorReport.Check {
    if devices.isEmpty {
      return .init(
        name: "RDMA devices", status: .warn, detail: "none",
        fix: "rdma link add rxe0 type rxe netdev ETH (soft-RoCE)")
    }
    let odp = devices.filter { $0.hasODP == true }.map(\.name)
    return .init(
      name: "RDMA devices", status: .info,
      detail: odp.isEmpty
        ? "\(devices.count), none known to page on demand"
        : "\(odp.joined(separator: ", ")) can page on demand")
  }

  /// kernel-facts C5: the fix leaves no trace in symbols, so this is by release only, and says so.
  private static func knownBug(_ facts: KernelFacts) -> DoctorReport.Check {
    let name = "2021 fsdax bug"
    guard facts.traits.pageTables.devmapBit != nil else {
      return .init(name: name, status: .ok, detail: "cannot occur: no DEVMAP bit in this kernel")
    }
    guard let release = KernelRelease(facts.release) else {
      return .init(name: name, status: .info, detail: "not told by the release; named when met")
    }
    let affected =
      (release.major, release.minor) == (5, 11) || (release.major, release.minor) == (5, 12)
      || (release.major, release.minor) == (5, 10) && (1..<67).contains(release.patch)
      || (release.major, release.minor) == (5, 13) && release.patch < 19
      || (release.major, release.minor) == (5, 14) && release.patch < 6
    if affected {
      return .init(
        name: name, status: .warn,
        detail:
          "\(facts.release) is older than the fix 4b42fb213678: on-demand fsdax memory may fail",
        fix: "update to 5.10.67, 5.13.19, 5.14.6, 5.15 or later")
    }
    return .init(
      name: name, status: .info,
      detail: "fixed by release number; a kernel that has it all the same is told by its failures")
  }

  private static func worst(_ checks: [DoctorReport.Check]) -> DoctorReport.Status {
    if checks.contains(where: { $0.status == .fail }) { return .fail }
    return checks.contains { $0.status == .warn } ? .warn : .ok
  }

  private static func verdict(
    _ status: DoctorReport.Status, _ checks: [DoctorReport.Check], _ plan: HookPlan
  ) -> String {
    switch status {
    case .fail:
      // the same sentence that record ends with
      if let obstacle = Permissions.obstacle() { return obstacle.sentence }
      let first = checks.first { $0.status == .fail }
      return "tracing cannot work here: \(first?.detail ?? "")"
    case .warn:
      let names = checks.filter { $0.status == .warn }.map(\.name)
      return "tracing works, with gaps: \(names.joined(separator: ", "))"
    default:
      return "tracing works here: \(plan.attached().count) hooks"
    }
  }

  // MARK: - Rows

  static func rows(of plan: HookPlan) -> [DoctorReport.Hook] {
    plan.rows.filter { $0.rung != .off }.map { row in
      DoctorReport.Hook(
        hook: row.hook.symbol, purpose: row.hook.role.purpose,
        symbol: row.isAttached ? row.target : nil, module: row.module, rung: row.rung.shown,
        note: row.note)
    }
  }

  private static func row(_ device: RDMADevice) -> DoctorReport.Device {
    DoctorReport.Device(
      name: device.name, driver: device.driver,
      odp: device.hasODP.map { $0 ? .yes : .no } ?? .unknown,
      detail: device.error.map { "could not be asked: \($0)" } ?? "")
  }

  private static func row(_ mount: DAXMount) -> DoctorReport.Mount {
    DoctorReport.Mount(
      device: mount.device, mountPoint: mount.mountPoint, filesystem: mount.filesystem,
      dax: mount.dax == .yes ? .yes : mount.dax == .no ? .no : .unknown,
      option: mount.option.isEmpty ? "per file" : mount.option)
  }
}

extension Hook.Role {
  fileprivate var purpose: String {
    switch self {
    case .verbs: return "where an operation begins and ends"
    case .driver: return "what the driver decides"
    case .umem: return "the memory region, its owner, pinning"
    case .hmm: return "the page walk and its checks"
    case .fault: return "codes of failed page faults"
    case .process: return "children of watched processes"
    }
  }
}

extension HookPlan.Rung {
  fileprivate var shown: DoctorReport.HookRung {
    switch self {
    case .fexit: return .fexit
    case .kprobe: return .kprobe
    case .tracepoint: return .tracepoint
    case .replay: return .replay
    case .later: return .later
    case .off, .absent: return .absent
    }
  }
}
