// SPDX-License-Identifier: Apache-2.0

/// The process that owns the memory of a failed operation, as its container knows it.
package struct OwnerEvidence: Equatable, Sendable {
  /// Its numbers, of the initial PID namespace first.
  package var pids: [Int]
  /// The innermost PID namespace: its inode number.
  package var pidNamespace: UInt32
  /// The start of the process, CLOCK_BOOTTIME, ns.
  package var startNs: UInt64
  /// Its control group in the hierarchy of version 2; nil = not known.
  package var cgroup: UInt64?
  /// nil where the group was gone before it could be looked up.
  package var cgroupPath: String?

  package init(pids: [Int], pidNamespace: UInt32, startNs: UInt64, cgroup: UInt64?) {
    self.pids = pids
    self.pidNamespace = pidNamespace
    self.startNs = startNs
    self.cgroup = cgroup
  }

  /// Its number where it lives; nil where that is the initial namespace.
  package var containerPID: Int? { pids.count > 1 ? pids.last : nil }
}
