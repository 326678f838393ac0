// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Kernel
import Model

/// Whose operations are recorded: the options that record and live have in common.
struct FilterOptions: ParsableArguments {
  @Option(name: [.customShort("p"), .customLong("pid")], help: "Watch this process. Repeatable.")
  var pids: [Int32] = []

  @Flag(name: .shortAndLong, help: "Watch all processes, also while COMMAND runs.")
  var all = false

  @Flag(help: "Watch the children of -p processes too.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "Watch threads and processes of this name, at most 15 bytes. Repeatable.", valueName: "name"))
  var comm: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Watch processes in this control group (version 2) and below: a directory, or its path from the root of \
      the hierarchy. Repeatable.
      """, valueName: "path"))
  var cgroup: [String] = []

  @Option(
    help: ArgumentHelp("Watch this RDMA device. Repeatable.", valueName: "name"))
  var device: [String] = []

  @Option(
    help: ArgumentHelp(
      "Record only failures with these errnos: EFAULT,EPERM.", valueName: "names"))
  var errno: [ErrnoList] = []

  func validate() throws {
    if let pid = pids.first(where: { $0 <= 0 }) {
      throw ValidationError("-p \(pid): a process's number is more than 0.")
    }
    if all, !pids.isEmpty { throw ValidationError("give either -a or -p, not both.") }
    if let name = comm.first(where: { $0.isEmpty || $0.utf8.count > OperationFilter.commLength }) {
      throw ValidationError(
        name.isEmpty
          ? "--comm: a name is missing."
          : "--comm \(name): the kernel keeps \(OperationFilter.commLength) bytes of a name: "
            + "\(String(decoding: name.utf8.prefix(OperationFilter.commLength), as: UTF8.self))")
    }
    if cgroup.contains("") { throw ValidationError("--cgroup: a path is missing.") }
    if let name = device.first(where: { $0.isEmpty || $0.utf8.count > OperationFilter.deviceLength }
    ) {
      throw ValidationError("--device \(name): no RDMA device has such a name.")
    }
    if let word = errno.lazy.compactMap(\.unknown).first {
      let near = NearestName.of(word.uppercased(), in: Errno.allNames)
      throw ValidationError(
        "--errno: there is no errno '\(word)'"
          + (near.isEmpty ? "." : "; did you mean \(near.joined(separator: ", "))?"))
    }
    let errnos = self.errnos
    if errnos.count > OperationFilter.errnosLimit {
      throw ValidationError(
        "--errno: at most \(OperationFilter.errnosLimit) errnos can be asked for.")
    }
    let limit = OperationFilter.valuesLimit
    if [pids.count, comm.count, cgroup.count, device.count].contains(where: { $0 > limit }) {
      throw ValidationError(
        "at most \(limit) processes, names, groups or devices can be asked for.")
    }
  }

  /// Without repetitions.
  var errnos: [Errno] {
    var seen: Set<Errno> = []
    return errno.flatMap(\.errnos).filter { seen.insert($0).inserted }
  }

  /// What is asked for besides processes. Throws where it cannot be had.
  func filter() throws(RecordFailure) -> OperationFilter {
    var filter = OperationFilter()
    filter.comms = comm
    filter.devices = device
    filter.errnos = errnos
    for path in cgroup {
      do throws(ControlGroups.Missing) {
        filter.cgroups.append(try ControlGroups.number(of: path))
      } catch {
        throw .cgroup(path, error)
      }
    }
    if follow, !pids.isEmpty, !PIDNamespace.ownsProc() { throw .procOfOthers }
    for pid in pids where kill(pid, 0) != 0 && Glibc.errno == ESRCH {
      throw .kernel(.processGone(pid: Int(pid)))
    }
    return filter
  }

  /// Sentences for what may be meant otherwise; nothing that hinders.
  func notes(_ facts: KernelFacts) -> [String] {
    var notes: [String] = []
    if !facts.knowsOwners, !pids.isEmpty || !comm.isEmpty || !cgroup.isEmpty {
      notes.append(
        "this kernel (without CONFIG_MEMCG) does not tell whose memory a kernel worker works on: page faults "
          + "and asynchronous prefetches are left out")
    }
    let present = Directory.names(in: "/sys/class/infiniband").sorted()
    for name in device where !present.contains(name) {
      let others = present.isEmpty ? "" : " (there is \(present.joined(separator: ", ")))"
      notes.append("there is no RDMA device \(name) yet\(others): it is watched when it comes")
    }
    return notes
  }

  /// For the screen and for messages: "pid 4242 and children, comm server, errno EFAULT".
  var words: [String] {
    var words: [String] = []
    func add(_ what: String, _ values: [String], _ more: String = "") {
      if !values.isEmpty { words.append("\(what) \(values.joined(separator: ", "))\(more)") }
    }
    add("pid", pids.map { "\($0)" }, follow ? " and children" : "")
    add("comm", comm)
    add("cgroup", cgroup)
    add("device", device)
    add("errno", errnos.map(\.description))
    return words
  }
}

/// "EFAULT,EPERM", or numbers.
struct ErrnoList: ExpressibleByArgument {
  var errnos: [Errno]
  /// A word that is none.
  var unknown: String?

  init(argument: String) {
    var errnos: [Errno] = []
    for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let errno = Errno(name: word.uppercased()) ?? Self.number(word) else {
        unknown = String(word)
        continue
      }
      errnos.append(errno)
    }
    self.errnos = errnos
  }

  private static func number(_ word: Substring) -> Errno? {
    guard let number = Int32(word), (1...4095).contains(number) else { return nil }
    return Errno(rawValue: number)
  }
}
