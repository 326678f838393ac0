// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file's bytes, which are there as long as this is: the kernel's own pages where it maps them, else a copy that leaves
/// nothing behind.
final class FileBytes {
  let bytes: UnsafeRawBufferPointer

  /// nil where there is none, or it cannot be read whole.
  init?(_ path: String) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_size > 0, let size = Int(exactly: status.st_size)
    else { return nil }
    // that of the kernel's types from 6.16 on
    if let place = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), place != MAP_FAILED {
      bytes = UnsafeRawBufferPointer(start: place, count: size)
      return
    }
    guard let place = FileBytes.memory(size) else { return nil }
    bytes = UnsafeRawBufferPointer(start: place, count: size)
    var done = 0
    while done < size {
      let count = read(file, place + done, size - done)
      if count < 0, errno == EINTR { continue }
      // what it has is freed with it
      guard count > 0 else { return nil }
      done += count
    }
  }

  init?(_ copied: [UInt8]) {
    guard !copied.isEmpty, let place = FileBytes.memory(copied.count) else { return nil }
    place.copyMemory(from: copied, byteCount: copied.count)
    bytes = UnsafeRawBufferPointer(start: place, count: copied.count)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  private static func memory(_ size: Int) -> UnsafeMutableRawPointer? {
    let place = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return place == MAP_FAILED ? nil : place
  }
}
