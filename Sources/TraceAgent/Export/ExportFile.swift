// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file that an export is written to: taken away again when the export fails.
///
/// Readable for its owner only, as the recording is: it holds kernel addresses and file names.
package struct ExportFile: ~Copyable {
  package let path: String
  let descriptor: CInt
  private let isCreated: Bool
  private var isKept = false

  /// - Parameter force: an existing file is replaced; a FIFO or a device is written to.
  package static func create(_ path: String, force: Bool) throws(ExportError) -> ExportFile {
    var status = stat()
    if stat(path, &status) == 0 {
      guard force else { throw .exists(path: path) }
      if status.st_mode & S_IFMT != S_IFREG {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
        return ExportFile(path: path, descriptor: descriptor, isCreated: false)
      }
      guard unlink(path) == 0 else { throw .cannotCreate(path: path, errno: errno) }
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      throw errno == EEXIST ? .exists(path: path) : .cannotCreate(path: path, errno: errno)
    }
    return ExportFile(path: path, descriptor: descriptor, isCreated: true)
  }

  package static var standardOutput: ExportFile {
    ExportFile(path: "standard output", descriptor: STDOUT_FILENO, isCreated: false)
  }

  private init(path: String, descriptor: CInt, isCreated: Bool) {
    self.path = path
    self.descriptor = descriptor
    self.isCreated = isCreated
  }

  /// The export is whole.
  package mutating func keep() { isKept = true }

  deinit {
    if isCreated && !isKept { unlink(path) }
    if descriptor != STDOUT_FILENO { close(descriptor) }
  }
}
