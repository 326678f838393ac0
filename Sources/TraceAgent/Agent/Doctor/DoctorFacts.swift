// SPDX-License-Identifier: Apache-2.0

import CEvents
import Glibc
import Kernel
import Model
import Terminal

/// What `doctor` looks at, in the order in which it must be mended.
package enum DoctorFacts {
  package static func report() -> DoctorReport {
    var name = utsname()
    _ = uname(&name)
    let release = text(of: name.release)
    var checks: [DoctorReport.Check] = [
      DoctorChecks.config(KernelConfig.read(release: release), proves: isProved),
      DoctorChecks.kernelBTF(Permissions.hasBTF()),
    ]
    let facts: KernelFacts
    do throws(KernelError) {
      facts = try KernelFacts.read()
    } catch {
      checks.append(.init(name: "kernel", status: .fail, detail: error.sentence))
      return DoctorReport(
        release: release, machine: text(of: name.machine), status: .fail, verdict: error.sentence,
        checks: checks)
    }
    let missing = Permissions.missing()
    let weakening = Permissions.weakening()
    let hasSysAdmin = !weakening.contains { $0.capability == .sysAdmin }
    var wish = HookPlan.Wish(moduleBTF: hasSysAdmin || !missing.isEmpty)
    wish.kprobesAreOff = ProbeSwitches.current().areKprobesOff
    let plan = HookPlan(offers: facts.offers, wish: wish)
    let devices = RDMADevice.all()
    let mounts = DAXMount.all().map { (mount: $0, files: DAXFiles.look(at: $0)) }
    let memlock = Permissions.memlock()
    let symbolsHidden = facts.offers.symbols.areHidden
    checks += [
      DoctorChecks.moduleBTF(
        facts.offers.btf, loaded: facts.offers.modules,
        watched: Set(Hook.all.flatMap(\.modules))),
      DoctorChecks.lockdown(Permissions.lockdown(), refused: Permissions.isLockedDown()),
      DoctorChecks.privileges(
        missing: missing, weakening: weakening, program: Permissions.programPath()),
    ]
    // Hidden for want of a privilege: told with the privileges.
    if !symbolsHidden || !missing.contains(where: { $0.capability == .syslog }) {
      checks.append(
        DoctorChecks.symbols(
          hidden: symbolsHidden, restrict: KptrRestrict.current(),
          mayReadSyslog: Capabilities.effective().has(.syslog)))
    }
    checks += [
      DoctorChecks.probes(
        ProbeSwitches.current(), paranoid: TextFile.read("/proc/sys/kernel/perf_event_paranoid")),
      DoctorChecks.core(plan), DoctorChecks.sight(plan.sight(of: RDMADevice.present())),
      DoctorChecks.direct(plan), DoctorChecks.hooks(plan),
      DoctorChecks.devices(devices),
      DoctorChecks.memlock(soft: memlock.soft, hard: memlock.hard),
      DoctorChecks.fsdax(mounts, release: facts.release),
      DoctorChecks.knownBug(
        hasDevmapBit: facts.traits.pageTables.devmapBit != nil, stable: facts.stableRelease,
        said: TextFile.read("/sys/module/hmm/parameters/fsdax_2021")?.trimmed),
    ]
    let status = worst(checks)
    return DoctorReport(
      release: facts.release, machine: facts.machine, status: status,
      verdict: verdict(status, checks, plan), checks: checks, hooks: rows(of: plan),
      devices: devices.map(row), mounts: mounts.map { row($0.mount, $0.files, facts.release) })
  }

  /// What the running kernel shows to have, whatever a configuration file says or whether there is one.
  private static func isProved(_ option: String) -> Bool {
    switch option {
    case "CONFIG_DEBUG_INFO_BTF": return Permissions.hasBTF()
    case "CONFIG_BPF_SYSCALL": return TextFile.exists("/proc/sys/kernel/unprivileged_bpf_disabled")
    case "CONFIG_KPROBES":
      return TextFile.exists("/proc/sys/debug/kprobes-optimization")
        || TextFile.exists("/sys/bus/event_source/devices/kprobe")
    case "CONFIG_BPF_EVENTS": return TextFile.exists("/sys/bus/event_source/devices/kprobe")
    case "CONFIG_KALLSYMS_ALL": return TextFile.exists("/proc/kallsyms")
    case "CONFIG_BPF_JIT": return TextFile.exists("/proc/sys/net/core/bpf_jit_enable")
    default: return false
    }
  }

  private static func text<T>(of tuple: T) -> String {
    withUnsafeBytes(of: tuple) { String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self) }
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

  /// A hook plan in a line.
  static func line(_ plan: HookPlan) -> String { HookPlanText.line(rows(of: plan)) }

  static func rows(of plan: HookPlan) -> [DoctorReport.Hook] {
    plan.rows.filter { $0.rung != .off }.map { row in
      DoctorReport.Hook(
        hook: row.hook.symbol, purpose: row.hook.role.purpose,
        symbol: row.isAttached ? row.target : nil, module: row.module, rung: row.rung,
        note: row.note,
        isMissing: row.isMissing)
    }
  }

  private static func row(_ device: RDMADevice) -> DoctorReport.Device {
    DoctorReport.Device(
      name: device.name, driver: device.driver,
      odp: device.hasODP.map { $0 ? .yes : .no } ?? .unknown,
      detail: device.error.map { "could not be asked: \($0)" } ?? detail(of: device),
      implicitODP: device.hasODP == nil ? nil : device.hasImplicitODP,
      transports: device.transports.map { .init(name: $0.name, operations: $0.operations) })
  }

  private static func detail(of device: RDMADevice) -> String {
    var parts = device.transports.map { "\($0.name): \($0.operations.joined(separator: " "))" }
    if device.hasImplicitODP { parts.append("implicit MRs") }
    return parts.joined(separator: ", ")
  }

  private static func row(
    _ mount: DAXMount, _ files: DAXFiles, _ release: String
  ) -> DoctorReport.Mount {
    let remarks = ([files.evidence] + files.obstacles(to: mount, release: release)).compactMap(
      \.self)
    return DoctorReport.Mount(
      device: mount.device, mountPoint: mount.mountPoint, filesystem: mount.filesystem,
      dax: DoctorChecks.isDirect(mount, files),
      option: mount.option.isEmpty ? "per file" : mount.option,
      detail: remarks.joined(separator: "; "))
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
