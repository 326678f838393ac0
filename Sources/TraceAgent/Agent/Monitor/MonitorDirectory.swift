// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The directory of a monitor's recordings, which is its alone while it runs.
package final class MonitorDirectory {
  /// Why it cannot be used.
  package enum Problem: Error, Equatable, Sendable {
    case cannotMake(Errno)
    case cannotWrite(Errno)
    /// Another monitor has it.
    case isTaken
  }

  let path: String
  private let lock: CInt

  init(_ path: String) throws(Problem) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw .cannotMake(Errno(rawValue: errno))
    }
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0, access(path, W_OK | X_OK) == 0 else {
      let error = Errno(rawValue: errno)
      if directory >= 0 { close(directory) }
      throw .cannotWrite(error)
    }
    guard flock(directory, LOCK_EX | LOCK_NB) == 0 else {
      close(directory)
      throw .isTaken
    }
    self.path = path
    lock = directory
  }

  deinit { close(lock) }
}
