// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file that an export is written to: under a name of its own until it is whole, so that what
/// has the name that was asked for is never a part.
///
/// Readable for its owner only, as the recording is: it holds kernel addresses and file names.
package struct ExportFile: ~Copyable {
  /// As asked for.
  package let path: String
  /// What is being written; `path` itself for a FIFO, a device and standard output.
  package let workPath: String
  let descriptor: CInt
  private let replaces: Bool
  /// The work path is gone, or another's.
  private var isKept = false

  private var isTemporary: Bool { workPath != path }

  /// With `force` an existing file is replaced; a FIFO or a device is written to.
  package static func create(_ path: String, force: Bool) throws(ExportError) -> ExportFile {
    var status = stat()
    if stat(path, &status) == 0 {
      guard force else { throw .exists(path: path) }
      if status.st_mode & S_IFMT != S_IFREG {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
        return ExportFile(path: path, workPath: path, descriptor: descriptor, replaces: true)
      }
    }
    let workPath = "\(path).partial-\(getpid())"
    let descriptor = open(workPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    return ExportFile(path: path, workPath: workPath, descriptor: descriptor, replaces: force)
  }

  package static var standardOutput: ExportFile {
    let path = "standard output"
    return ExportFile(path: path, workPath: path, descriptor: STDOUT_FILENO, replaces: true)
  }

  private init(path: String, workPath: String, descriptor: CInt, replaces: Bool) {
    self.path = path
    self.workPath = workPath
    self.descriptor = descriptor
    self.replaces = replaces
  }

  /// The export is whole: gives it its name.
  package mutating func keep() throws(ExportError) {
    guard isTemporary else { return }
    if replaces {
      guard rename(workPath, path) == 0 else { throw .cannotCreate(path: path, errno: errno) }
      isKept = true
      return
    }
    // Unlike rename(), link() does not replace what came there meanwhile.
    if link(workPath, path) == 0 { return }
    guard errno != EEXIST else { throw .exists(path: path) }
    // A file system without links.
    guard access(path, F_OK) != 0 else { throw .exists(path: path) }
    guard rename(workPath, path) == 0 else { throw .cannotCreate(path: path, errno: errno) }
    isKept = true
  }

  deinit {
    if isTemporary && !isKept { unlink(workPath) }
    if descriptor != STDOUT_FILENO { close(descriptor) }
  }
}
