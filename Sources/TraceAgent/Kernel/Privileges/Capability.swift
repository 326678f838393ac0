// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The capabilities that matter here; include/uapi/linux/capability.h has the numbers.
package enum Capability: Int, CaseIterable, Sendable {
  case dacOverride = 1
  case dacReadSearch = 2
  case kill = 5
  case sysPtrace = 19
  case sysAdmin = 21
  case sysResource = 24
  case syslog = 34
  case perfmon = 38
  case bpf = 39

  package var name: String {
    switch self {
    case .dacOverride: return "CAP_DAC_OVERRIDE"
    case .dacReadSearch: return "CAP_DAC_READ_SEARCH"
    case .kill: return "CAP_KILL"
    case .sysPtrace: return "CAP_SYS_PTRACE"
    case .sysAdmin: return "CAP_SYS_ADMIN"
    case .sysResource: return "CAP_SYS_RESOURCE"
    case .syslog: return "CAP_SYSLOG"
    case .perfmon: return "CAP_PERFMON"
    case .bpf: return "CAP_BPF"
    }
  }
}

/// A set as the kernel has it: a bit a capability, also those that ``Capability`` does not name.
package struct Capabilities: Equatable, Sendable, ExpressibleByArrayLiteral {
  package var mask: UInt64

  package init(mask: UInt64) { self.mask = mask }
  package init(arrayLiteral elements: Capability...) {
    mask = elements.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  package func has(_ capability: Capability) -> Bool {
    mask >> UInt64(capability.rawValue) & 1 != 0
  }
  package mutating func insert(_ capability: Capability) {
    mask |= 1 << UInt64(capability.rawValue)
  }
  package mutating func remove(_ capability: Capability) {
    mask &= ~(1 << UInt64(capability.rawValue))
  }
  package func intersection(_ other: Capabilities) -> Capabilities {
    Capabilities(mask: mask & other.mask)
  }

  /// Those of `wanted` that are not in this set.
  package func missing(_ wanted: [Capability]) -> [Capability] { wanted.filter { !has($0) } }

  /// What counts when this process asks the kernel for something.
  package static func effective() -> Capabilities { current().effective }

  /// Permitted, but not necessarily effective: what may be taken up again.
  package static func permitted() -> Capabilities { current().permitted }

  private static func current() -> (effective: Capabilities, permitted: Capabilities) {
    var effective: UInt64 = 0
    var permitted: UInt64 = 0
    guard cprivileges_get(&effective, &permitted) == 0 else { return ([], []) }
    return (Capabilities(mask: effective), Capabilities(mask: permitted))
  }
}
