// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

extension OwnerEvidence {
  init(_ record: mrt_owner) {
    let levels = min(Int(record.levels), Int(MRT_PID_LEVELS))
    let pids = withUnsafeBytes(of: record.pids) { bytes in
      (0..<levels).map { Int(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
    }
    self.init(
      pids: pids, pidNamespace: record.pid_namespace, startNs: record.start_ns,
      cgroup: record.cgroup == 0 ? nil : record.cgroup)
  }
}
