// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Giving up what is no longer needed. Capabilities belong to a thread: to be called while there is one.
package enum Privileges {
  /// What has to go on working after the hooks are attached.
  package struct Needs: Equatable, Sendable {
    /// A module may still be loaded whose functions are to be hooked then.
    package var attachLater: Bool
    /// There is no RDMA device yet: what comes is hooked as well as what is there, by fexit.
    package var wholeRDMALater: Bool
    /// There is a command, which may have become another user and must get its signals.
    package var command: Bool
    /// Directories that are written to.
    package var directories: [String]
    package init(
      attachLater: Bool = false, wholeRDMALater: Bool = false, command: Bool = false,
      directories: [String] = []
    ) {
      self.attachLater = attachLater
      self.wholeRDMALater = wholeRDMALater
      self.command = command
      self.directories = directories
    }

    /// What is kept for it whatever the kernel; ``Privileges/drop(needs:works:)`` tries what depends on that.
    /// `isHidden`: /proc/kallsyms shows no addresses without CAP_SYSLOG.
    func kept(isHidden: Bool, probes: ProbeAccess = .withoutAdmin()) -> Capabilities {
      var kept: Capabilities = []
      if isHidden { kept.insert(.syslog) }
      if command { kept.insert(.kill) }
      if attachLater || wholeRDMALater {
        kept.insert(.bpf)
        kept.insert(.perfmon)
      }
      if wholeRDMALater || attachLater && probes == .none { kept.insert(.sysAdmin) }
      return kept
    }
  }

  /// Drops every capability that `needs` does not need, from all sets, for good; what is kept.
  ///
  /// Where it depends on the kernel or on the place, it is tried: `works` must go on working (reading a BPF
  /// map takes CAP_BPF before 5.19), and so must writing to the directories.
  @discardableResult
  package static func drop(
    needs: Needs, works: () -> Bool = { true }
  ) -> Capabilities {
    let have = Capabilities.permitted()
    guard have.mask != 0 else { return seal([]) }
    var kept = needs.kept(isHidden: true).intersection(have)
    if kept.has(.syslog) {
      kept.remove(.syslog)
      takeUp(kept, of: have)
      if KernelSymbols.areHidden() && have.has(.syslog) { kept.insert(.syslog) }
    }
    // Names in the stacks of others' processes: newer kernels let CAP_PERFMON read /proc/PID/maps.
    for reads in [Capability.perfmon, .sysPtrace] where have.has(reads) {
      var more = kept
      more.insert(reads)
      takeUp(more, of: have)
      guard mayReadMaps() else { continue }
      kept = more
      break
    }
    takeUp(kept, of: have)
    if !works(), have.has(.bpf) {
      kept.insert(.bpf)
      takeUp(kept, of: have)
    }
    if have.has(.dacOverride), !needs.directories.allSatisfy(mayWrite) { kept.insert(.dacOverride) }
    return seal(kept)
  }

  /// For what reads and writes files alone, such as `report`: root may still read what it could.
  package static func keepFileAccess() {
    seal(Capabilities.permitted().intersection([.dacOverride, .dacReadSearch]))
  }

  /// Makes `wanted` effective for the time being; what is permitted stays so.
  private static func takeUp(_ wanted: Capabilities, of permitted: Capabilities) {
    _ = cprivileges_set(wanted.mask, permitted.mask)
  }

  @discardableResult
  private static func seal(_ kept: Capabilities) -> Capabilities {
    // The bounding set first: that takes a capability itself.
    let permitted = Capabilities.permitted()
    _ = cprivileges_set(permitted.mask, permitted.mask)
    cprivileges_bound(kept.mask)
    _ = cprivileges_set(kept.mask, kept.mask)
    _ = cprivileges_no_new()
    // Root's processes are root's business; another process of a plain user must not take our maps over.
    if geteuid() != 0 { _ = cprivileges_not_dumpable() }
    return kept
  }

  /// /proc/PID/maps of another user's process; of init, which everybody has.
  static func mayReadMaps() -> Bool { TextFile.read("/proc/1/maps") != nil }

  private static func mayWrite(_ directory: String) -> Bool {
    faccessat(AT_FDCWD, directory, R_OK | W_OK | X_OK, AT_EACCESS) == 0
  }
}
