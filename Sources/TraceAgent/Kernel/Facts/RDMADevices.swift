// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// The RDMA devices of this machine, from /sys/class/infiniband and from the devices themselves.
package struct RDMADevice: Equatable, Sendable {
  package var name: String
  /// The kernel module that drives it, e.g. "mlx5_ib"; nil where nothing says so.
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

  /// Those that are there, without opening any.
  package static func present() -> [Sight.Device] {
    Directory.names(in: "/sys/class/infiniband").sorted().map {
      Sight.Device(name: $0, driver: driver(of: $0))
    }
  }

  /// As the kernel tells it; where it does not (5.10's hns, no ib_uverbs), as sysfs does: there the parent of a device is another
  /// driver's often, mlx5_core's for mlx5_ib, and soft-RoCE's the network card's.
  private static func driver(of name: String) -> String? {
    if TextFile.exists("/sys/class/infiniband_verbs") {
      let number = Int(cverbs_driver(name))
      if drivers.indices.contains(number), let driver = drivers[number] { return driver }
    }
    // a file that soft-RoCE alone has
    if TextFile.exists("/sys/class/infiniband/\(name)/parent") { return "rdma_rxe" }
    var buffer = [CChar](repeating: 0, count: 4096)
    let path = "/sys/class/infiniband/\(name)/device/driver/module"
    guard realpath(path, &buffer) != nil else { return nil }
    let text = buffer.withUnsafeBytes {
      String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    let module = text.split(separator: "/").last.map(String.init)
    return module.map { parents[$0] ?? $0 }
  }

  /// Modules by enum rdma_driver_id (include/uapi/rdma/ib_user_ioctl_verbs.h).
  static let drivers: [String?] = [
    nil, "mlx5_ib", "mlx4_ib", "iw_cxgb3", "iw_cxgb4", "ib_mthca", "bnxt_re", "ocrdma", "iw_nes",
    "irdma", "vmw_pvrdma", "qedr", "hns_roce_hw_v2", "usnic_verbs", "rdma_rxe", "hfi1", "ib_qib",
    "efa", "siw", "erdma", "mana_ib", "ionic_rdma",
  ]

  /// Drivers of cards, and those of their RDMA devices.
  private static let parents = [
    "mlx5_core": "mlx5_ib", "mlx4_core": "mlx4_ib", "bnxt_en": "bnxt_re", "ice": "irdma",
    "i40e": "irdma",
  ]
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
