// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The time that this thread itself has taken: not what else the machine did meanwhile.
struct Timer {
  var events: UInt64 = 0
  private var total: UInt64 = 0
  private var begin = Timer.now()

  mutating func pause() { total += Timer.now() - begin }
  mutating func resume() { begin = Timer.now() }

  mutating func tell(bytes: Int) {
    pause()
    print("{\"events\":\(events),\"bytes\":\(bytes),\"cpu_ns\":\(total)}")
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
