// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// A command that waits until everything is attached.
package struct ChildProcess: ~Copyable {
  private var child = cchild()
  package var pid: pid_t { child.pid }

  /// Starts the process that will become `command`; it does nothing until ``run()``.
  /// `output`: takes what it would write to the terminal, which then is not its own.
  package init(command: [String], output: CInt? = nil) throws(KernelError) {
    var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    argv.append(nil)
    defer { for argument in argv { free(argument) } }
    let result = cchild_start(argv, output ?? -1, &child)
    guard result == 0 else { throw .system(call: "fork", errno: Errno(rawValue: -result)) }
  }

  /// Lets it run. Throws the errno of an exec that failed; the process is gone then.
  package mutating func run() throws(Errno) {
    let result = cchild_go(&child)
    guard result == 0 else { throw Errno(rawValue: -result) }
  }

  /// Its exit status as a shell gives it, once it has ended; nil while it runs.
  package func exitStatus() -> Int32? {
    var status: CInt = 0
    guard waitpid(child.pid, &status, WNOHANG) == child.pid else { return nil }
    return cchild_exit_status(status)
  }

  /// ``pid``, for where it may be absent: a property of an optional value would consume it.
  package func number() -> pid_t { child.pid }

  /// Sends it a signal.
  package func send(_ signal: CInt) { kill(child.pid, signal) }

  /// Waits for its end; the exit status as a shell gives it.
  package func waitForEnd() -> Int32 {
    var status: CInt = 0
    while waitpid(child.pid, &status, 0) < 0 && errno == EINTR {}
    return cchild_exit_status(status)
  }

  deinit {
    var child = child
    cchild_abandon(&child)
  }

  /// The file that `execvp` would run, or why there is none, found before anything is attached.
  package static func find(_ name: String, path: String?) -> Result<String, Errno> {
    if name.contains("/") {
      if let error = check(name) { return .failure(error) }
      return .success(name)
    }
    var worst = Errno.noent
    for directory in (path ?? "/usr/local/bin:/usr/bin:/bin").split(
      separator: ":", omittingEmptySubsequences: false)
    {
      let candidate = "\(directory.isEmpty ? "." : String(directory))/\(name)"
      guard let error = check(candidate) else { return .success(candidate) }
      if error != .noent { worst = error }
    }
    return .failure(worst)
  }

  private static func check(_ path: String) -> Errno? {
    var status = stat()
    guard stat(path, &status) == 0 else { return Errno(rawValue: errno) }
    if status.st_mode & S_IFMT == S_IFDIR { return Errno(rawValue: EISDIR) }
    return access(path, X_OK) == 0 ? nil : Errno(rawValue: errno)
  }
}
