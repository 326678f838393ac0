// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A datagram to a socket of this machine: the journal's, or the service manager's.
enum LocalDatagram {
  /// False: it did not arrive. `path` may begin with "@": an abstract name. Never waits.
  static func send(_ bytes: [UInt8], to path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(path.utf8)
    let isPlaced = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard !name.isEmpty, name.count < place.count else { return false }
      place.copyBytes(from: name)
      if name[0] == UInt8(ascii: "@") { place[0] = 0 }
      return true
    }
    guard isPlaced else { return false }
    let datagrams = socket(
      AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard datagrams >= 0 else { return false }
    defer { close(datagrams) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let sent = bytes.withUnsafeBytes { bytes in
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          sendto(
            datagrams, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL),
            address, length)
        }
      }
    }
    return sent == bytes.count
  }
}
