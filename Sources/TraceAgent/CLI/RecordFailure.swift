// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

/// Why `record` ended without a recording, or without all of it.
enum RecordFailure: Error {
  case kernel(KernelError)
  case recording(RecordingError)
  /// `monitor`: the sentence.
  case monitor(String)
  case commandNotFound(String)
  case commandNotRun(String, Errno)
  case cgroup(String, ControlGroups.Missing)
  /// /proc numbers the processes of another PID namespace.
  case procOfOthers

  static func wrapping<Value: ~Copyable>(
    _ work: () throws(KernelError) -> Value
  ) throws(RecordFailure) -> Value {
    do throws(KernelError) { return try work() } catch { throw .kernel(error) }
  }

  var sentence: String {
    switch self {
    case .kernel(let error): return error.sentence
    case .recording(let error): return error.sentence
    case .monitor(let sentence): return sentence
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
