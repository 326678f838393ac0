// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc

/// What `record` writes into: one recording, parts of one size, or memory.
package protocol RecordingSink: AnyObject {
  var path: String { get }
  /// As ``RecordingWriter/append(_:cpu:)``.
  func append(_ bytes: UnsafeRawBufferPointer, cpu: Int) throws(RecordingError) -> Bool
  /// An event of the agent's own making.
  func append(_ event: Event) throws(RecordingError)
  /// `cpu` has lost `count` more records.
  func discarded(_ count: UInt64, cpu: Int)
  /// Writes what has waited for a second, at `now` (CLOCK_MONOTONIC, ns).
  func flush(now: UInt64) throws(RecordingError)
  /// Writes all that waits.
  func flushAll() throws(RecordingError)
  /// What the metadata says has changed: hooks have been attached since.
  func update(_ environment: RecordingEnvironment) throws(RecordingError)
  /// Throws where the directory is not there any more: everything would go nowhere.
  func checkPlace() throws(RecordingError)
}

/// A directory that must stay where it is.
package struct RecordingPlace {
  let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Makes the directory, for its owner only. It must not be there.
  static func make(_ path: String) throws(RecordingError) -> RecordingPlace {
    guard mkdir(path, 0o700) == 0 else {
      let code = errno
      throw code == EEXIST ? .exists(path: path) : .cannotCreate(path: path, errno: code)
    }
    var status = stat()
    guard stat(path, &status) == 0 else { throw .cannotCreate(path: path, errno: errno) }
    return RecordingPlace(path: path, device: status.st_dev, inode: status.st_ino)
  }

  private init(path: String, device: dev_t, inode: ino_t) {
    self.path = path
    self.device = device
    self.inode = inode
  }

  /// The same directory under a name that it has been given.
  func moved(to path: String) -> RecordingPlace {
    RecordingPlace(path: path, device: device, inode: inode)
  }

  func check() throws(RecordingError) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else {
      throw .gone(path: path)
    }
  }

  /// Removes a recording with all that a recording has.
  package static func remove(_ path: String) {
    for name in DirectoryNames.ifReadable(path)
    where name == "metadata" || name.hasPrefix("stream_") {
      _ = unlink("\(path)/\(name)")
    }
    _ = unlink("\(path)/.metadata.draft")
    _ = rmdir(path)
  }
}
