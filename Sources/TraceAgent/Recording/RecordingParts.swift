// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A recording in parts: a directory with `part-000001`, `part-000002`, …, each a whole recording.
package enum RecordingParts {
  static let prefix = "part-"

  /// The paths of the parts of `path`, in order. What is no directory of parts is its own only one,
  /// be it a recording or not: opening it will tell.
  package static func of(_ path: String) -> [String] {
    var status = stat()
    guard stat("\(path)/metadata", &status) != 0 else { return [path] }
    let parts = numbers(in: path)
    return parts.isEmpty ? [path] : parts.map { "\(path)/\($0.name)" }
  }

  /// The name of part `number`.
  static func name(_ number: Int) -> String {
    let digits = String(number)
    return prefix + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }

  /// Removes a recording that never began, or its first part.
  package static func remove(_ path: String) {
    for part in of(path) where part != path { RecordingPlace.remove(part) }
    RecordingPlace.remove(path)
  }

  /// The number of the part at `path`.
  static func number(of path: String) -> Int? {
    path.split(separator: "/").last.flatMap { Int($0.dropFirst(prefix.count)) }
  }

  /// The parts in a directory, in order of their numbers.
  static func numbers(in path: String) -> [(number: Int, name: String)] {
    let parts = DirectoryNames.ifReadable(path).compactMap { name -> (number: Int, name: String)? in
      guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)), number > 0,
        name == Self.name(number)
      else { return nil }
      return (number, name)
    }
    return parts.sorted { $0.number < $1.number }
  }
}
