// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A socket such as the journal's, or the service manager's: what is sent to it.
final class LocalReceiver {
  private let descriptor: CInt

  /// `path` may begin with "@": an abstract name.
  init(_ path: String) throws {
    descriptor = socket(
      AF_UNIX,
      CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue),
      0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    if name.first == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try #require(result == 0)
  }

  deinit { close(descriptor) }

  /// Each datagram that has come by now.
  func received() -> [String] {
    var all: [String] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
      let n = read(descriptor, &bytes, bytes.count)
      guard n >= 0 else { return all }
      all.append(String(decoding: bytes[..<n], as: UTF8.self))
    }
  }
}
