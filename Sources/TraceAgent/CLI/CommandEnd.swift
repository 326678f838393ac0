// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How long a run that has a command goes on when it ends, or is told to.
enum CommandEnd {
  /// After the command has ended, its asynchronous work may still fail: wait that long.
  static let graceNs: UInt64 = 200_000_000
  /// How long a command may take to end when it is told to.
  static let patienceNs: UInt64 = 5_000_000_000

  /// Ctrl-C on our terminal goes to the command as well.
  static func isInForeground() -> Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }
}

extension TracingOptions {
  /// All processes of `-p` are gone.
  var haveAllEnded: Bool {
    !pids.isEmpty && pids.allSatisfy { kill($0, 0) != 0 && errno == ESRCH }
  }
}
