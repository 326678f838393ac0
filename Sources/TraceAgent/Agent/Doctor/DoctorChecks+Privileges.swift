// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Terminal

extension DoctorChecks {
  static func privileges(
    missing: [Permissions.Want], weakening: [Permissions.Want], program: String
  ) -> Check {
    let name = "privileges"
    func list(_ wants: [Permissions.Want]) -> String {
      wants.map { "\($0.capability.name) (to \($0.purpose))" }.joined(separator: ", ")
    }
    let fix = "sudo mrtrace …, or: sudo setcap \(Permissions.grant)+ep \(program)"
    if !missing.isEmpty {
      return .init(name: name, status: .fail, detail: "\(list(missing)) missing", fix: fix)
    }
    if !weakening.isEmpty {
      return .init(name: name, status: .warn, detail: "without \(list(weakening))", fix: fix)
    }
    return .init(
      name: name, status: .ok,
      detail: (Permissions.required.map(\.capability) + [.syslog, .sysAdmin, .sysPtrace])
        .map(\.name).joined(separator: ", "))
  }

  /// A limit that fails pinned registrations, not recordings: a common cause, and easily overlooked.
  static func memlock(soft: UInt64, hard: UInt64) -> Check {
    let name = "memory lock limit"
    if soft == .max { return .init(name: name, status: .ok, detail: "none in this shell") }
    let fix =
      hard == .max
      ? "ulimit -l unlimited"
      : "echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/rdma.conf, then log in again"
    return .init(
      name: name, status: .info,
      detail: "what this shell starts may pin \(soft >> 10) KiB without CAP_IPC_LOCK; "
        + "above that a registration that is not on demand fails with ENOMEM",
      fix: fix)
  }
}
