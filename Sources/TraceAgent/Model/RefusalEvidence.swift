// SPDX-License-Identifier: Apache-2.0

/// What refused an operation where no page did, read when its verb had failed.
package struct RefusalEvidence: Equatable, Sendable {
  package enum What: String, Sendable {
    /// A control group has as many RDMA objects as it may have.
    case rdmaCgroup = "rdma_cgroup"
    /// The device is gone from the descriptor that is still open.
    case deviceRemoved = "device_removed"
    /// The task is to die.
    case killed = "killed"
  }

  /// What kills a process.
  package enum Killer: Equatable, Sendable {
    /// A signal that ends it.
    case signal(Int)
    /// Another of its threads calls exit_group().
    case exit
    /// Another of its threads calls exec().
    case exec
    /// The kernel, for want of memory, whose limit is not known.
    case outOfMemory
    /// For want of memory of the whole machine, or of the nodes it may use.
    case host
    /// Of the memory cgroup ``RefusalEvidence/cgroup``.
    case memoryCgroup
    case unknown
  }

  package var what: What
  /// Whose limit it is, by its number; nil = none, or not known.
  package var cgroup: UInt64?
  /// nil where the group was gone before it could be looked up.
  package var cgroupPath: String?
  /// Of objects, or of pages of memory.
  package var usage: UInt64?
  package var limit: UInt64?
  /// When the kernel chose the process, CLOCK_MONOTONIC.
  package var killedNs: UInt64?
  package var killer: Killer
  /// "uverbs0" of the device that was removed.
  package var device: String?

  package init(_ what: What, killer: Killer = .unknown) {
    self.what = what
    self.killer = killer
  }
}
