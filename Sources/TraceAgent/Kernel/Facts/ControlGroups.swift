// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The hierarchy of control groups, version 2: numbers, as the kernel has them, and paths.
package enum ControlGroups {
  package enum Missing: Error, Equatable, Sendable {
    /// No hierarchy of version 2 is mounted.
    case noHierarchy
    case noGroup
    /// A directory, but not of that hierarchy.
    case otherHierarchy
  }

  /// Where the hierarchy is mounted.
  package static func mountPoint() -> String? {
    guard let text = TextFile.read("/proc/self/mountinfo") else { return nil }
    return mountPoint(in: text)
  }

  /// Of /proc/self/mountinfo: the fifth field of a line with " - cgroup2 ".
  static func mountPoint(in mountinfo: String) -> String? {
    for line in mountinfo.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash >= 5, dash + 1 < fields.count,
        fields[dash + 1] == "cgroup2"
      else { continue }
      return String(fields[4])
    }
    return nil
  }

  /// The number of the group at `path`: of the file system, or from the hierarchy's root on.
  package static func number(of path: String) throws(Missing) -> UInt64 {
    var top = stat()
    guard let root = mountPoint(), stat(root, &top) == 0 else { throw .noHierarchy }
    var isThere = false
    for candidate in [path, "\(root)/\(path)"] {
      var status = stat()
      guard stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
      isThere = true
      // there is one hierarchy of version 2, wherever it is mounted
      guard status.st_dev == top.st_dev else { continue }
      return UInt64(status.st_ino)
    }
    throw isThere ? .otherHierarchy : .noGroup
  }

  package static func root() -> String { mountPoint() ?? "/sys/fs/cgroup" }

  /// The line "0::/path" of /proc/PID/cgroup: of the hierarchy of version 2.
  static func path(ofProcess pid: UInt32) -> String? {
    guard let text = TextFile.read("/proc/\(pid)/cgroup") else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
      return String(line.dropFirst(3))
    }
    return nil
  }
}
