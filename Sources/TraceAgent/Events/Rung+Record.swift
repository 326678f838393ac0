// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

extension Rung {
  /// As records carry it.
  package init(_ recorded: UInt32) {
    switch mrt_rung(rawValue: recorded) {
    case MRT_RUNG_FEXIT: self = .fexit
    case MRT_RUNG_KPROBE: self = .kprobe
    case MRT_RUNG_TRACEPOINT: self = .tracepoint
    default: self = .noHook
    }
  }

  package var recorded: mrt_rung {
    switch self {
    case .fexit: MRT_RUNG_FEXIT
    case .kprobe: MRT_RUNG_KPROBE
    case .tracepoint: MRT_RUNG_TRACEPOINT
    case .replay, .later, .off, .absent, .noHook: MRT_RUNG_NONE
    }
  }
}
