// SPDX-License-Identifier: Apache-2.0

/// A mapping that a process did not get when it was forked: its ancestor has it, with VM_DONTCOPY.
package struct ForkedEvidence: Equatable, Sendable {
  /// Where the process has no mapping.
  package var address: UInt64
  /// The ancestor's mapping.
  package var start: UInt64
  package var end: UInt64
  package var vmFlags: UInt64
  /// CLOCK_MONOTONIC, ns.
  package var forkedNs: UInt64
  /// The ancestor.
  package var pid: Int
  package var comm: String
  /// 1: the parent.
  package var generation = 1
  /// What the ancestor had registered there before it forked, where the recording has it.
  package var registration: MemoryRegion?

  package init(
    address: UInt64, start: UInt64, end: UInt64, vmFlags: UInt64, forkedNs: UInt64, pid: Int,
    comm: String
  ) {
    self.address = address
    self.start = start
    self.end = end
    self.vmFlags = vmFlags
    self.forkedNs = forkedNs
    self.pid = pid
    self.comm = comm
  }
}
