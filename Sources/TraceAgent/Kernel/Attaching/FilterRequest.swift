// SPDX-License-Identifier: Apache-2.0

import Model

/// What is asked for of operations besides their process, as people write it: on the command line of record
/// and live, and in monitor's configuration.
package struct FilterRequest: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable { case comm, cgroup, device, errno }

  /// A value that cannot be.
  package struct Problem: Error, Equatable, Sendable {
    package var kind: Kind
    /// nil: what is wrong is not the value itself.
    package var value: String?
    package var sentence: String
    /// The word that is no errno.
    package var unknownErrno: String?
  }

  package private(set) var comms: [String] = []
  /// Paths: directories, or from the root of the hierarchy on.
  package private(set) var cgroups: [String] = []
  package private(set) var devices: [String] = []
  /// Without repetitions.
  package private(set) var errnos: [Errno] = []

  package init() {}

  /// One more value; of errnos a list: "EFAULT,EPERM", or numbers.
  package mutating func add(_ kind: Kind, _ value: String) throws(Problem) {
    switch kind {
    case .comm:
      guard !value.isEmpty else { throw Problem(kind: kind, sentence: "a name is missing") }
      let limit = OperationFilter.commLength
      guard value.utf8.count <= limit else {
        throw Problem(
          kind: kind, value: value,
          sentence: "the kernel keeps \(limit) bytes of a name: "
            + String(decoding: value.utf8.prefix(limit), as: UTF8.self))
      }
      comms.append(value)
    case .cgroup:
      guard !value.isEmpty else { throw Problem(kind: kind, sentence: "a path is missing") }
      cgroups.append(value)
    case .device:
      guard !value.isEmpty, value.utf8.count <= OperationFilter.deviceLength else {
        throw Problem(kind: kind, value: value, sentence: "no RDMA device has such a name")
      }
      devices.append(value)
    case .errno:
      for word in value.split(separator: ",", omittingEmptySubsequences: false) {
        guard let errno = Self.errno(word) else {
          throw Problem(
            kind: kind, sentence: "there is no errno '\(word)'", unknownErrno: String(word))
        }
        if !errnos.contains(errno) { errnos.append(errno) }
      }
      let limit = OperationFilter.errnosLimit
      guard errnos.count <= limit else {
        throw Problem(kind: kind, sentence: "at most \(limit) errnos can be asked for")
      }
    }
    let limit = OperationFilter.valuesLimit
    guard max(comms.count, cgroups.count, devices.count) <= limit else {
      throw Problem(kind: kind, sentence: "at most \(limit) values can be asked for")
    }
  }

  package mutating func removeAll(_ kind: Kind) {
    switch kind {
    case .comm: comms = []
    case .cgroup: cgroups = []
    case .device: devices = []
    case .errno: errnos = []
    }
  }

  package func differs(from other: FilterRequest, in kind: Kind) -> Bool {
    switch kind {
    case .comm: comms != other.comms
    case .cgroup: cgroups != other.cgroups
    case .device: devices != other.devices
    case .errno: errnos != other.errnos
    }
  }

  /// As the programs in the kernel know it, with the numbers of the control groups.
  package func filter(cgroups numbers: [UInt64]) -> OperationFilter {
    var filter = OperationFilter()
    filter.comms = comms
    filter.cgroups = numbers
    filter.awaitsCgroups = !cgroups.isEmpty
    filter.devices = devices
    filter.errnos = errnos
    return filter
  }

  /// Sentences for what may be meant otherwise; nothing that hinders. `byProcess`: processes are asked for too.
  package func notes(_ facts: KernelFacts, byProcess: Bool = false) -> [String] {
    var notes: [String] = []
    if !facts.knowsOwners, byProcess || !comms.isEmpty || !cgroups.isEmpty {
      notes.append(
        "this kernel (without CONFIG_MEMCG) does not tell whose memory a kernel worker works on: page faults "
          + "and asynchronous prefetches are left out")
    }
    let present = Directory.names(in: "/sys/class/infiniband").sorted()
    for name in devices where !present.contains(name) {
      let others = present.isEmpty ? "" : " (there is \(present.joined(separator: ", ")))"
      notes.append("there is no RDMA device \(name) yet\(others): it is watched when it comes")
    }
    return notes
  }

  /// For the screen and for messages: "comm server", "errno EFAULT".
  package var words: [String] {
    [
      ("comm", comms), ("cgroup", cgroups), ("device", devices),
      ("errno", errnos.map(\.description)),
    ]
    .filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }
  }

  private static func errno(_ word: Substring) -> Errno? {
    if let errno = Errno(name: word.uppercased()) { return errno }
    guard let number = Int32(word), (1...4095).contains(number) else { return nil }
    return Errno(rawValue: number)
  }
}
