// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// A file that others read at any time: they find the old one or the new one, and never a part.
package enum WholeFile {
  package static func write(_ text: String, to path: String) throws(Errno) {
    // Hidden, and not *.prom: node_exporter passes over it.
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let draft = "\(path[..<slash]).\(path[slash...]).\(getpid())"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { throw Errno(rawValue: errno) }
    var failure: Errno?
    // whatever the umask
    if fchmod(file, 0o644) != 0 { failure = Errno(rawValue: errno) }
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty, failure == nil {
        let n = Glibc.write(file, rest.baseAddress, rest.count)
        if n < 0, errno == EINTR { continue }
        guard n > 0 else {
          failure = Errno(rawValue: errno)
          return
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[n...])
      }
    }
    if close(file) != 0, failure == nil { failure = Errno(rawValue: errno) }
    if failure == nil, rename(draft, path) != 0 { failure = Errno(rawValue: errno) }
    if let failure {
      _ = unlink(draft)
      throw failure
    }
  }
}
