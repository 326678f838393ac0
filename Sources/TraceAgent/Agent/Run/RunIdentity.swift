// SPDX-License-Identifier: Apache-2.0

import Kernel
import Recording

/// What all recordings of one run have in common, settled once: times of its parts can be compared.
struct RunIdentity {
  let uuid = RecordingEnvironment.newRunUUID()
  let startWallNs = Clock.wall()
  let clockOffsetNs: Int64

  init() { clockOffsetNs = Int64(startWallNs) - Int64(Clock.monotonic()) }
}
