// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The two clocks of a recording, ns.
package enum Clock {
  /// CLOCK_MONOTONIC, as bpf_ktime_get_ns().
  package static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }
  /// CLOCK_REALTIME.
  package static func wall() -> UInt64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
