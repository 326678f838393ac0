// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel
import Model

/// The help of options that monitor has too.
extension ArgumentHelp {
  static let comm = ArgumentHelp(
    "Watch threads and processes of this name, at most 15 bytes. Repeatable.", valueName: "name")
  static let device = ArgumentHelp("Watch this RDMA device. Repeatable.", valueName: "name")
}

/// Whose operations are recorded: the options that record and live have in common.
struct FilterOptions: ParsableArguments {
  @Option(name: [.customShort("p"), .customLong("pid")], help: "Watch this process. Repeatable.")
  var pids: [Int32] = []

  @Flag(name: .shortAndLong, help: "Watch all processes, also while COMMAND runs.")
  var all = false

  @Flag(help: "Watch the children of -p processes too.")
  var follow = false

  @Option(help: .comm)
  var comm: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Watch processes in this control group (version 2) and below: a directory, or its path from the root of \
      the hierarchy. Repeatable.
      """, valueName: "path"))
  var cgroup: [String] = []

  @Option(help: .device)
  var device: [String] = []

  @Option(
    help: ArgumentHelp(
      "Record only failures with these errnos: EFAULT,EPERM.", valueName: "names"))
  var errno: [String] = []

  func validate() throws {
    if let pid = pids.first(where: { $0 <= 0 }) {
      throw ValidationError("-p \(pid): a process's number is more than 0.")
    }
    if all, !pids.isEmpty { throw ValidationError("give either -a or -p, not both.") }
    let limit = OperationFilter.valuesLimit
    if pids.count > limit {
      throw ValidationError("-p: at most \(limit) values can be asked for")
    }
    do throws(FilterRequest.Problem) {
      _ = try read()
    } catch {
      var sentence = error.sentence
      if let word = error.unknownErrno {
        let near = NearestName.of(word.uppercased(), in: Errno.allNames)
        sentence += near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"
      }
      throw ValidationError(
        "--\(error.kind.rawValue)\(error.value.map { " \($0)" } ?? ""): \(sentence)")
    }
  }

  private func read() throws(FilterRequest.Problem) -> FilterRequest {
    var request = FilterRequest()
    for name in comm { try request.add(.comm, name) }
    for path in cgroup { try request.add(.cgroup, path) }
    for name in device { try request.add(.device, name) }
    for names in errno { try request.add(.errno, names) }
    return request
  }

  /// Without COMMAND, which is no filter. What cannot be has been refused.
  var subject: TraceSubject {
    var subject = TraceSubject()
    subject.pids = pids
    subject.all = all
    subject.follow = follow
    subject.request = (try? read()) ?? FilterRequest()
    return subject
  }
}
