// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc

/// Paths of the control groups of those whose operations failed, found while they are there.
package struct GroupNames: Sendable {
  private let root = ControlGroups.mountPoint()
  private var paths: [UInt64: String] = [:]
  /// Those that this part of the recording has.
  private var told: Set<UInt64> = []
  /// No search of the whole hierarchy before this time, ns.
  private var nextSearch: UInt64 = 0

  /// Bounds on what is remembered, on a search, and on how often there is one.
  private static let limit = 4096
  private static let groupsSearched = 20000
  private static let pauseNs: UInt64 = 1_000_000_000

  package init() {}

  /// A part begins: it must have all paths that it needs.
  package mutating func beginPart() { told = [] }

  /// Takes an owner in; returns the path of its group where this part does not have it.
  package mutating func learn(_ owner: mrt_owner) -> Event? {
    guard let root, owner.cgroup != 0, !told.contains(owner.cgroup) else { return nil }
    guard let path = paths[owner.cgroup] ?? path(of: owner, below: root) else { return nil }
    // a run may last for weeks
    if paths.count >= Self.limit { paths = [:] }
    if told.count >= Self.limit { told = [] }
    paths[owner.cgroup] = path
    told.insert(owner.cgroup)
    return .cgroup(owner.cgroup, path: path, timeNs: owner.h.time_ns)
  }

  /// As for an owner, of a group whose limit `pid` has met: its own, or one above.
  package mutating func learn(_ group: UInt64, metBy pid: UInt32, timeNs: UInt64) -> Event? {
    guard let root, group != 0, !told.contains(group) else { return nil }
    guard let path = paths[group] ?? path(of: group, above: pid, below: root) else { return nil }
    if paths.count >= Self.limit { paths = [:] }
    if told.count >= Self.limit { told = [] }
    paths[group] = path
    told.insert(group)
    return .cgroup(group, path: path, timeNs: timeNs)
  }

  private mutating func path(of group: UInt64, above pid: UInt32, below root: String) -> String? {
    var path = ControlGroups.path(ofProcess: pid) ?? ""
    while let end = path.lastIndex(of: "/") {
      if path == "/" { path = "" }
      if Self.number(of: root + path) == group { return path.isEmpty ? "/" : path }
      path = String(path[..<end])
    }
    if Self.number(of: root) == group { return "/" }
    let now = Clock.monotonic()
    guard now >= nextSearch else { return nil }
    nextSearch = now + Self.pauseNs
    return Self.search(root, for: group)
  }

  /// All that are known.
  package func all(timeNs: UInt64) -> [Event] {
    paths.sorted { $0.key < $1.key }.map { .cgroup($0.key, path: $0.value, timeNs: timeNs) }
  }

  private mutating func path(of owner: mrt_owner, below root: String) -> String? {
    // In another PID namespace the number may be somebody else's: the group's own number decides.
    if let path = ControlGroups.path(ofProcess: owner.owner_pid),
      Self.number(of: root + path) == owner.cgroup
    {
      return path
    }
    let now = Clock.monotonic()
    guard now >= nextSearch else { return nil }
    nextSearch = now + Self.pauseNs
    return Self.search(root, for: owner.cgroup)
  }

  private static func number(of path: String) -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }

  /// The process may be gone: its group need not be.
  private static func search(_ root: String, for group: UInt64) -> String? {
    if number(of: root) == group { return "/" }
    var waiting = [""]
    var searched = 0
    while searched < waiting.count, waiting.count < groupsSearched {
      let parent = waiting[searched]
      searched += 1
      guard let handle = opendir(root + parent) else { continue }
      defer { closedir(handle) }
      while let entry = readdir(handle) {
        guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        if entry.pointee.d_ino == group { return "\(parent)/\(name)" }
        waiting.append("\(parent)/\(name)")
      }
    }
    return nil
  }
}
