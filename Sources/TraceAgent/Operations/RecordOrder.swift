// SPDX-License-Identifier: Apache-2.0

import CEvents

/// How far the records of operations are out of the order of their times: no recorder writes them so, but a damaged
/// recording, or one that was put together from others, may have them.
package struct RecordOrder: Sendable {
  private var latestNs: UInt64 = 0
  /// The longest time that one of them comes too late.
  package private(set) var worstNs: UInt64 = 0

  package init() {}

  package mutating func note(_ header: mrt_header) {
    guard header.operation != 0 else { return }
    if header.time_ns >= latestNs {
      latestNs = header.time_ns
    } else {
      worstNs = max(worstNs, latestNs - header.time_ns)
    }
  }
}
