// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model

/// What record and live watch: COMMAND, processes that run already, or all; and what else their operations must have.
package struct TraceSubject: Sendable {
  /// Run when all is attached; empty: none is.
  package var command: [String] = []
  package var pids: [pid_t] = []
  /// All processes, also while COMMAND runs.
  package var all = false
  /// The children of `pids` too.
  package var follow = false
  /// Besides processes.
  package var request = FilterRequest()

  package init() {}

  /// Processes whose children are there already and watched too.
  var parents: [pid_t] { follow ? pids : [] }

  /// The filter, once it is known that it can be had and that COMMAND can be run: better before the seconds of attaching.
  package func filter() throws(AgentError) -> OperationFilter {
    if let name = command.first {
      switch ChildProcess.find(name, path: Output.environment("PATH")) {
      case .success: break
      case .failure(.noent): throw .commandNotFound(name)
      case .failure(let errno): throw .commandNotRun(name, errno)
      }
    }
    var groups: [UInt64] = []
    for path in request.cgroups {
      do throws(ControlGroups.Missing) {
        groups.append(try ControlGroups.number(of: path))
      } catch {
        throw .cgroup(path, error)
      }
    }
    if follow, !pids.isEmpty, !PIDNamespace.ownsProc() { throw .procOfOthers }
    for pid in pids where !Self.isThere(pid) { throw .kernel(.processGone(pid: Int(pid))) }
    return request.filter(cgroups: groups)
  }

  /// All processes of `-p` are gone.
  var haveAllEnded: Bool { !pids.isEmpty && !pids.contains(where: Self.isThere) }

  private static func isThere(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 || errno != ESRCH }

  /// Sentences for what may be meant otherwise; nothing that hinders.
  func notes(_ facts: KernelFacts) -> [String] {
    request.notes(facts, byProcess: !pids.isEmpty)
  }

  /// The filters, for the screen and for messages: "pid 4242 and children", "comm server", "errno EFAULT".
  package var words: [String] {
    guard !pids.isEmpty else { return request.words }
    let numbers = pids.map { "\($0)" }.joined(separator: ", ")
    return ["pid \(numbers)\(follow ? " and children" : "")"] + request.words
  }
}
