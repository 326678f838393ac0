// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernel
import Model
import Testing

@testable import Agent

@Suite struct DoctorChecksTests {
  private let whole: [String: String] = Dictionary(
    uniqueKeysWithValues: (DoctorChecks.neededOptions + DoctorChecks.usefulOptions.map(\.0)).map {
      ($0, "y")
    })

  private func config(without options: String...) -> KernelConfig {
    KernelConfig(
      source: "/boot/config", options: whole.filter { !options.contains($0.key) })
  }

  @Test func configuration() {
    let nothing: (String) -> Bool = { _ in false }
    #expect(DoctorChecks.config(config(), proves: nothing).status == .ok)
    let without = DoctorChecks.config(config(without: "CONFIG_KPROBES"), proves: nothing)
    #expect(without.status == .fail)
    #expect(without.detail == "CONFIG_KPROBES not set (/boot/config)")
    #expect(without.fix == "install a kernel with CONFIG_KPROBES=y")
    // what the kernel shows by itself counts more than a file that may be another kernel's
    #expect(
      DoctorChecks.config(config(without: "CONFIG_KPROBES")) { $0 == "CONFIG_KPROBES" }.status
        == .ok)
    let noODP = DoctorChecks.config(
      config(without: "CONFIG_INFINIBAND_ON_DEMAND_PAGING"), proves: nothing)
    #expect(noODP.status == .warn)
    #expect(DoctorChecks.config(nil) { _ in true }.status == .ok)
    #expect(DoctorChecks.config(nil, proves: nothing).status == .info)
  }

  @Test func configurationFiles() throws {
    let root = NSTemporaryDirectory() + "config-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    let text = "# CONFIG_X is not set\nCONFIG_KPROBES=y\nCONFIG_FS_DAX=m\nCONFIG_HZ=250\n"
    let place = root + "/usr/lib/modules/7.3.4"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try text.write(toFile: place + "/config", atomically: true, encoding: .utf8)
    let found = try #require(KernelConfig.read(release: "7.3.4", root: root))
    #expect(found.source == "/usr/lib/modules/7.3.4/config")
    #expect(found.has("CONFIG_KPROBES") && found.has("CONFIG_FS_DAX"))
    #expect(!found.has("CONFIG_X") && !found.has("CONFIG_HZ"))
    #expect(KernelConfig.read(release: "0.0", root: root) == nil)
    // the kernel's own is packed
    try FileManager.default.createDirectory(
      atPath: root + "/proc", withIntermediateDirectories: true)
    try text.write(toFile: root + "/proc/config", atomically: true, encoding: .utf8)
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
    gzip.arguments = [root + "/proc/config"]
    try gzip.run()
    gzip.waitUntilExit()
    #expect(KernelConfig.read(release: "7.3.4", root: root)?.source == "/proc/config.gz")
    #expect(KernelConfig.read(release: "7.3.4", root: root)?.has("CONFIG_KPROBES") == true)
  }

  @Test func privileges() {
    let good = DoctorChecks.privileges(missing: [], weakening: [], program: "/m")
    #expect(good.status == .ok)
    let bad = DoctorChecks.privileges(
      missing: Permissions.required, weakening: Permissions.wanted, program: "/m")
    #expect(bad.status == .fail)
    #expect(bad.detail.contains("CAP_BPF (to load BPF programs), CAP_PERFMON"))
    #expect(bad.fix?.hasSuffix("+ep /m") == true)
    let weak = DoctorChecks.privileges(
      missing: [], weakening: Permissions.wanted, program: "/m")
    #expect(weak.status == .warn)
    #expect(weak.detail.contains("CAP_SYS_ADMIN"))
  }

  @Test func moduleTypes() {
    let watched: Set<String> = ["ib_uverbs", "rdma_rxe"]
    #expect(DoctorChecks.moduleBTF([], loaded: ["ext4"], watched: watched).status == .ok)
    #expect(
      DoctorChecks.moduleBTF(["ib_uverbs"], loaded: ["ib_uverbs"], watched: watched).status == .ok)
    #expect(
      DoctorChecks.moduleBTF(["vmlinux"], loaded: watched, watched: watched).detail
        == "none for ib_uverbs, rdma_rxe: hooked by kprobes")
  }

  @Test func lockdown() {
    #expect(DoctorChecks.lockdown("integrity", refused: false).status == .ok)
    #expect(DoctorChecks.lockdown(nil, refused: false).status == .ok)
    #expect(DoctorChecks.lockdown("confidentiality", refused: true).status == .fail)
    #expect(DoctorChecks.lockdown(nil, refused: true).status == .fail)
  }

  @Test func symbols() {
    func check(_ hidden: Bool, _ restrict: KptrRestrict) -> String? {
      DoctorChecks.symbols(hidden: hidden, restrict: restrict, mayReadSyslog: true).fix
    }
    #expect(check(false, .privileged) == nil)
    #expect(check(true, .always) == "sudo sysctl kernel.kptr_restrict=1")
  }

  @Test func probes() {
    #expect(DoctorChecks.probes(.init(ftrace: "1\n", kprobes: nil), paranoid: "3\n").status == .ok)
    #expect(
      DoctorChecks.probes(.init(ftrace: "0\n", kprobes: "1\n"), paranoid: nil).status == .fail)
    #expect(
      DoctorChecks.probes(.init(ftrace: "1\n", kprobes: "0\n"), paranoid: nil).fix
        == "echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled")
  }

  @Test func memlock() {
    #expect(DoctorChecks.memlock(soft: .max, hard: .max).status == .ok)
    let raised = DoctorChecks.memlock(soft: 65536, hard: .max)
    #expect(raised.status == .info && raised.fix == "ulimit -l unlimited")
    #expect(raised.detail.contains("64 KiB"))
    #expect(
      DoctorChecks.memlock(soft: 65536, hard: 65536).fix?.contains("limits.d") == true)
  }

  // MARK: - fsdax

  private func mount(_ option: String, _ dax: DAXMount.DAX, device: Bool? = true) -> DAXMount {
    DAXMount(
      device: "/dev/pmem0", mountPoint: "/mnt/pmem", filesystem: "xfs", option: option, dax: dax,
      deviceHasDAX: device)
  }

  @Test func filesGoBeforeOptions() {
    var files = DAXFiles()
    #expect(DoctorChecks.isDirect(mount("dax=always", .yes), files) == .yes)
    #expect(DoctorChecks.isDirect(mount("", .perFile), files) == .unknown)
    files.looked = 3
    #expect(DoctorChecks.isDirect(mount("dax=always", .yes), files) == .no)
    #expect(DoctorChecks.isDirect(mount("", .perFile), files) == .unknown)
    files.direct = 3
    #expect(DoctorChecks.isDirect(mount("", .perFile), files) == .yes)
    #expect(files.evidence == "its files are DAX")
  }

  @Test func whyThereIsNoDAX() {
    var files = DAXFiles()
    func check(_ mount: DAXMount, _ release: String = "5.10.0") -> String {
      DoctorChecks.fsdax([(mount, files)], release: release).detail
    }
    #expect(check(mount("dax=always", .yes)) == "/mnt/pmem is DAX")
    #expect(check(mount("", .no, device: false)).contains("mode is not fsdax"))
    #expect(check(mount("dax=never", .no)).contains("mounted with dax=never"))
    files.blockSize = 1024
    #expect(check(mount("", .perFile)).contains("1024 bytes: DAX needs 4096"))
    files.blockSize = 4096
    files.hasReflink = true
    #expect(check(mount("", .perFile)).contains("reflink has no DAX before Linux 6.0"))
    #expect(check(mount("", .perFile), "6.1.0") == "1, each file decides")
    files.partitionStart = 1 << 20
    #expect(check(mount("", .perFile), "6.1.0").contains("does not begin at 2 MiB"))
    files.partitionStart = 2 << 20
    #expect(check(mount("", .perFile), "6.1.0") == "1, each file decides")
  }

  // MARK: - The known bug

  @Test func theBugIsToldByEvidenceThenByRelease() {
    func check(_ release: String, said: String? = nil, bit: Bool = true) -> String {
      DoctorChecks.knownBug(hasDevmapBit: bit, stable: KernelRelease(release), said: said).status
        .rawValue
    }
    #expect(check("6.1.192", said: "broken") == "warn")
    #expect(check("6.1.192", said: "fixed") == "ok")
    #expect(check("7.3.4", bit: false) == "ok")
    for release in ["5.10.1", "5.10.66", "5.11.22", "5.12.1", "5.13.18", "5.14.5"] {
      #expect(check(release) == "warn", "\(release)")
    }
    for release in ["5.10.0", "5.10.67", "5.13.19", "5.14.6", "5.15.0", "6.1.192"] {
      #expect(check(release) == "info", "\(release)")
    }
  }

  @Test func debiansReleaseIsInItsVersion() {
    #expect(
      KernelFacts.stableRelease(
        release: "5.10.0-32-amd64", version: "#1 SMP Debian 5.10.223-1 (2024-08-10)")
        == KernelRelease("5.10.223"))
    #expect(
      KernelFacts.stableRelease(release: "5.14.3", version: "#1 SMP PREEMPT")
        == KernelRelease("5.14.3"))
  }
}
