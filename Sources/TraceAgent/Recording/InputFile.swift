// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file being read, at any place.
final class InputFile {
  let path: String
  /// Bytes when it was opened.
  let size: Int
  private let descriptor: Int32

  /// Opens a regular file.
  init(_ path: String) throws(RecordingError) {
    // O_NONBLOCK: a FIFO in the place of a file must not make the reader wait.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotRead(path: path, errno: errno) }
    var status = stat()
    let failure = fstat(descriptor, &status) == 0 ? 0 : errno
    guard failure == 0, status.st_mode & S_IFMT == S_IFREG else {
      _ = Glibc.close(descriptor)
      throw .cannotRead(path: path, errno: failure == 0 ? EINVAL : failure)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { _ = Glibc.close(descriptor) }

  /// Fills `buffer` from `offset` on; returns how much of it, less only at the end of the file.
  func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(RecordingError) -> Int {
    var filled = 0
    while filled < buffer.count, let base = buffer.baseAddress {
      let count = pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
      if count > 0 {
        filled += count
      } else if count == 0 {
        break
      } else if errno != EINTR {
        throw .cannotRead(path: path, errno: errno)
      }
    }
    return filled
  }

  /// At most `limit` bytes from the beginning.
  func read(limit: Int) throws(RecordingError) -> [UInt8] {
    let count = min(size, limit)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
    defer { buffer.deallocate() }
    let filled = try read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    return Array(buffer[..<filled])
  }
}
