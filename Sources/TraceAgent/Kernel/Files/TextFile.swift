// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// Small files of /proc and /sys, which have no size to ask for.
package enum TextFile {
  /// The whole file, or nil where it is missing or not readable.
  package static func read(_ path: String) -> String? {
    var text: [UInt8] = []
    guard (try? forEachChunk(of: path, { text.append(contentsOf: $0) })) != nil else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  /// Calls `body` with the file's bytes, a chunk at a time.
  package static func forEachChunk(
    of path: String, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(KernelError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw .system(call: "open \(path)", errno: Errno(rawValue: errno))
    }
    defer { close(file) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let n = Glibc.read(file, buffer.baseAddress, buffer.count)
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw .system(call: "read \(path)", errno: Errno(rawValue: errno)) }
      if n == 0 { return }
      body(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
    }
  }

  /// The same as bytes.
  static func bytes(_ path: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    guard (try? forEachChunk(of: path, { bytes.append(contentsOf: $0) })) != nil else { return nil }
    return bytes
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
