// SPDX-License-Identifier: Apache-2.0

import CRecording
import Glibc

/// A file being written, at its end only, each piece whole or not at all.
struct OutputFile: ~Copyable {
  let path: String
  private let descriptor: Int32
  private var size: off_t = 0

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { _ = Glibc.close(descriptor) }

  /// Creates `path`, which must not be there, readable for its owner only: recordings hold physical
  /// addresses.
  static func create(_ path: String) throws(RecordingError) -> OutputFile {
    try open(path, flags: O_CREAT | O_EXCL | O_NOFOLLOW)
  }

  /// Opens `path` with these flags besides those of writing.
  static func open(_ path: String, flags: Int32) throws(RecordingError) -> OutputFile {
    let descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    return OutputFile(path: path, descriptor: descriptor)
  }

  /// Appends all of `bytes`; on failure nothing of them stays in the file.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(RecordingError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = Glibc.write(descriptor, base, rest.count)
      if written > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      } else if written == 0 || errno != EINTR {
        let failure = written == 0 ? EIO : errno
        // A packet cut short would be read as damage; best effort, the disk may be gone.
        _ = ftruncate(descriptor, size)
        _ = lseek(descriptor, size, SEEK_SET)
        throw .cannotWrite(path: path, errno: failure)
      }
    }
    size += off_t(bytes.count)
  }

  /// Has what was written go to the disk now; waits for it where asked to.
  func sync(wait: Bool) {
    if wait { _ = fdatasync(descriptor) } else { crecording_start_writeback(descriptor) }
  }
}
