// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The PID namespace in which mrtrace runs: what `-p` and a command's number mean.
package struct PIDNamespace: Equatable, Sendable {
  package var inode: UInt32

  /// PROC_PID_INIT_INO: of the initial namespace, on every kernel.
  private static let initial: UInt32 = 0xEFFF_FFFC

  /// nil: this process is in the initial one.
  package static func ofThisProcess() -> PIDNamespace? {
    var status = stat()
    guard stat("/proc/self/ns/pid", &status) == 0 else { return nil }
    let inode = UInt32(truncatingIfNeeded: status.st_ino)
    return inode == initial ? nil : PIDNamespace(inode: inode)
  }

  /// /proc numbers processes as this process does; false where it is that of another namespace.
  package static func ownsProc() -> Bool {
    var name = [CChar](repeating: 0, count: 32)
    let length = readlink("/proc/self", &name, name.count)
    guard length > 0 else { return false }
    let number = name[..<length].map { UInt8(bitPattern: $0) }
    return String(decoding: number, as: UTF8.self) == "\(getpid())"
  }
}
