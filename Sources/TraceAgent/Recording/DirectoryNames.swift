// SPDX-License-Identifier: Apache-2.0

import Glibc

package enum DirectoryNames {
  /// The names in a directory, in no order, `.` and `..` left out.
  static func of(_ path: String) throws(RecordingError) -> [String] {
    guard let directory = opendir(path) else { throw .cannotRead(path: path, errno: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      // By pointer: an entry may be shorter than its type says.
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// The same; none where it cannot be read.
  package static func ifReadable(_ path: String) -> [String] { (try? of(path)) ?? [] }
}
