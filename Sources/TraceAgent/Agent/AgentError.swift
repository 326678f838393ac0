// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

/// Why a run did not begin, or ended without all that it was to give.
package enum AgentError: Error {
  case kernel(KernelError)
  case recording(RecordingError)
  /// The directory of `monitor`'s recordings.
  case directory(String, MonitorDirectory.Problem)
  /// `monitor --listen`.
  case cannotServe(address: String, Errno)
  case commandNotFound(String)
  case commandNotRun(String, Errno)
  case cgroup(String, ControlGroups.Missing)
  /// /proc numbers the processes of another PID namespace.
  case procOfOthers

  static func wrapping<Value: ~Copyable>(
    _ work: () throws(KernelError) -> Value
  ) throws(AgentError) -> Value {
    do throws(KernelError) { return try work() } catch { throw .kernel(error) }
  }

  /// One sentence, which says what to do.
  package var sentence: String {
    switch self {
    case .kernel(let error): return error.sentence
    case .recording(let error): return error.sentence
    case .directory(let path, .cannotMake(let errno)):
      return "\(path) cannot be made: \(errno); give another --directory, or none"
    case .directory(let path, .cannotWrite(let errno)):
      return "\(path) cannot be written: \(errno); give another --directory, or none"
    case .directory(let path, .isTaken):
      return "another monitor writes to \(path): give this one another --directory"
    case .cannotServe(let address, let errno):
      return
        "metrics cannot be served at \(address): \(errno); is the address of this machine, and free?"
    case .commandNotFound(let name):
      return "\(name): command not found"
    case .commandNotRun(let name, let errno):
      return "\(name) cannot be run: \(errno)"
    case .cgroup(let path, .noHierarchy):
      return "--cgroup \(path): no control groups of version 2 are mounted: "
        + "mount -t cgroup2 cgroup2 /sys/fs/cgroup, or name processes instead"
    case .cgroup(let path, .noGroup):
      return "--cgroup \(path): there is no such control group below \(ControlGroups.root())"
    case .cgroup(let path, .otherHierarchy):
      return "--cgroup \(path): that is no control group of version 2, which are below "
        + ControlGroups.root()
    case .procOfOthers:
      return "--follow: /proc is that of another PID namespace, where children have other numbers: "
        + "mount this container's own /proc, or name each process by -p"
    }
  }
}
