// SPDX-License-Identifier: Apache-2.0

/// Processes and their children, from /proc.
package enum Processes {
  /// All descendants of these processes that are alive now.
  package static func descendants(of roots: [Int32]) -> [Int32] {
    var children: [Int32: [Int32]] = [:]
    for name in Directory.names(in: "/proc") {
      guard let pid = Int32(name), let parent = parent(of: pid) else { continue }
      children[parent, default: []].append(pid)
    }
    var found: [Int32] = []
    var waiting = roots
    var seen = Set(roots)
    while let next = waiting.popLast() {
      for child in children[next] ?? [] where seen.insert(child).inserted {
        found.append(child)
        waiting.append(child)
      }
    }
    return found
  }

  /// Field 4 of /proc/PID/stat; the name before it may hold blanks and brackets.
  private static func parent(of pid: Int32) -> Int32? {
    guard let text = TextFile.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? Int32(fields[1]) : nil
  }
}
