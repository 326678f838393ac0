// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import Kernel

@Suite struct PrivilegesTests {
  @Test func capabilitiesAreTheKernelsBits() throws {
    #expect(([.bpf, .perfmon] as Capabilities).mask == 0xc0_0000_0000)
    #expect(([.sysAdmin] as Capabilities).mask == 1 << 21)
    #expect(([.bpf] as Capabilities).missing([.bpf, .perfmon]) == [.perfmon])
    // the same as the kernel prints
    let status = try #require(TextFile.read("/proc/thread-self/status"))
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
    let mask = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
    #expect(Capabilities.effective().mask == mask)
  }

  @Test func littleIsKept() {
    #expect(Privileges.Needs().kept(isHidden: false, probes: .perf) == [])
    #expect(Privileges.Needs().kept(isHidden: true, probes: .perf) == [.syslog])
    #expect(
      Privileges.Needs(attachLater: true).kept(isHidden: false, probes: .perf)
        == [.bpf, .perfmon])
    #expect(
      Privileges.Needs(wholeRDMALater: true).kept(isHidden: false, probes: .perf)
        == [.bpf, .perfmon, .sysAdmin])
    #expect(
      Privileges.Needs(command: true).kept(isHidden: false, probes: .perf) == [.kill])
  }

  @Test func oldKernelsNeedMoreToAttachLater() {
    #expect(
      Privileges.Needs(attachLater: true).kept(isHidden: false, probes: .none)
        == [.bpf, .perfmon, .sysAdmin])
  }

  @Test func perfEventsMayTakeMore() {
    #expect(ProbeAccess.of(paranoid: 3, isAdmin: true, hasLinks: false) == .perf)
    #expect(ProbeAccess.of(paranoid: 2, isAdmin: false, hasLinks: false) == .perf)
    #expect(ProbeAccess.of(paranoid: 3, isAdmin: false, hasLinks: false) == ProbeAccess.none)
    #expect(ProbeAccess.of(paranoid: 3, isAdmin: false, hasLinks: true) == .link)
    #expect(ProbeAccess.of(paranoid: nil, isAdmin: false, hasLinks: true) == .perf)
  }

  @Test func hiddenAddressesAreRecognised() throws {
    let path = NSTemporaryDirectory() + "kallsyms-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let perCPU = (0..<300).map { "0000000000000000 A per_cpu_\($0)\n" }.joined()
    try (perCPU + "ffffffff81000000 T _text\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(!KernelSymbols.areHidden(in: path))
    try (perCPU + "0000000000000000 T _text\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(KernelSymbols.areHidden(in: path))
    #expect(KernelSymbols.areHidden(in: "/nonexistent"))
  }

  @Test func memlockIsInTheWayBefore5_11() {
    let small: UInt64 = 64 << 10
    #expect(MemlockLimit.obstacle(release: "5.10.0-46-amd64", hard: small)?.limit == small)
    #expect(MemlockLimit.obstacle(release: "5.10.0-46-amd64", hard: .max) == nil)
    #expect(MemlockLimit.obstacle(release: "5.11.0", hard: small) == nil)
    #expect(MemlockLimit.obstacle(release: "6.1.0-56-amd64", hard: 0) == nil)
  }

  @Test func whatIsMissingIsSaidInOneSentence() {
    let sentence = KernelError.missingCapabilities(
      ["CAP_BPF (to load BPF programs)"], program: "/opt/mrtrace"
    ).sentence
    #expect(
      sentence == "tracing needs CAP_BPF (to load BPF programs), which this process does not have: "
        + "run it as root (sudo mrtrace …), or give the program what it needs (sudo setcap "
        + "cap_bpf,cap_perfmon,cap_syslog,cap_sys_ptrace,cap_sys_admin+ep /opt/mrtrace)")
  }

  @Test func withoutModuleBTFModulesAreProbed() throws {
    let plan = try KernelFixture("7.3").plan(.init(moduleBTF: false))
    let inModules = plan.values.filter { $0.module != nil && $0.isAttached }
    #expect(!inModules.isEmpty)
    #expect(inModules.allSatisfy { $0.rung == .kprobe })
    #expect(plan["hmm_vma_walk_pmd"]?.rung == .fexit)
    #expect(plan["ib_uverbs_reg_mr"]?.note == "no CAP_SYS_ADMIN for the module's BTF")
  }
}
