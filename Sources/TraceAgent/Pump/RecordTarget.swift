// SPDX-License-Identifier: Apache-2.0

import Recording

/// Where a run records to: one recording, parts of one size, or memory until something fails.
package enum RecordTarget {
  case whole(RecordingWriter)
  case parts(RotatingWriter)
  case memory(FlightRecorder)

  var sink: any RecordingSink {
    switch self {
    case .whole(let writer): writer
    case .parts(let writer): writer
    case .memory(let recorder): recorder
    }
  }
}
