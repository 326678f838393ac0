// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc
import Model

/// The RDMA devices of this machine, from /sys/class/infiniband and from the devices themselves.
package struct RDMADevice: Equatable, Sendable {
  package var name: String
  /// The kernel module that drives it, e.g. "mlx5_ib"; nil where sysfs does not say (soft-RoCE).
  package var driver: String?
  /// Can it page on demand? nil: it could not be asked.
  package var hasODP: Bool?
  /// An MR may cover the whole address space.
  package var hasImplicitODP = false
  /// What may page fault, by transport ("RC": "send", "write" …); transports without anything are left out.
  package var transports: [Transport] = []
  /// Why it could not be asked.
  package var error: Errno?

  package struct Transport: Equatable, Sendable {
    package var name: String
    package var operations: [String]
  }

  /// enum ib_odp_transport_cap_bits of include/rdma/ib_verbs.h.
  static func operations(of bits: UInt32) -> [String] {
    let names = [
      "send", "receive", "write", "read", "atomic", "shared receive", "flush", "atomic write",
    ]
    return names.indices.filter { bits >> UInt32($0) & 1 != 0 }.map { names[$0] }
  }

  package static func all() -> [RDMADevice] {
    let names = Directory.names(in: "/sys/class/infiniband").sorted()
    let uverbs = Directory.names(in: "/sys/class/infiniband_verbs").filter {
      $0.hasPrefix("uverbs")
    }
    return names.map { name in
      let driver = driver(of: name)
      guard
        let node = uverbs.first(where: {
          TextFile.read("/sys/class/infiniband_verbs/\($0)/ibdev")?.trimmed == name
        })
      else { return RDMADevice(name: name, driver: driver, hasODP: nil, error: .noent) }
      var caps = cverbs_odp()
      let answer = cverbs_device_odp(
        "/dev/infiniband/\(node)", driver == "mlx5_ib" ? 1 : 0, &caps)
      guard answer == 0 else {
        return RDMADevice(
          name: name, driver: driver, hasODP: nil, error: Errno(rawValue: -answer))
      }
      let transports = [("RC", caps.rc), ("UC", caps.uc), ("UD", caps.ud), ("XRC", caps.xrc)]
      return RDMADevice(
        name: name, driver: driver, hasODP: caps.general & 1 != 0,
        hasImplicitODP: caps.general & 2 != 0,
        transports: transports.compactMap { name, bits in
          let operations = operations(of: bits)
          return operations.isEmpty ? nil : Transport(name: name, operations: operations)
        })
    }
  }

  /// Soft-RoCE has no parent device: its name in sysfs says "rxe" at best.
  private static func driver(of name: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let path = "/sys/class/infiniband/\(name)/device/driver/module"
    guard realpath(path, &buffer) != nil else {
      return TextFile.exists("/sys/class/infiniband/\(name)/parent") ? "rdma_rxe" : nil
    }
    let text = buffer.withUnsafeBytes {
      String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    return text.split(separator: "/").last.map(String.init)
  }
}

extension String {
  /// Without white space at its ends.
  package var trimmed: String {
    var text = self[...]
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
