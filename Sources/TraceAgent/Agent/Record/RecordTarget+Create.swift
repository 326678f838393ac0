// SPDX-License-Identifier: Apache-2.0

import Pump
import Recording

extension RecordTarget {
  static func create(
    at path: String, _ environment: RecordingEnvironment, _ storage: RecordSettings.Storage
  ) throws(RecordingError) -> RecordTarget {
    switch storage {
    case .whole: .whole(try .create(at: path, environment: environment))
    case .parts(let size, let keep):
      .parts(try .create(at: path, environment: environment, maxSize: size, keep: keep))
    case .ring(let size, let keep):
      .memory(try .create(at: path, environment: environment, size: size, keep: keep))
    }
  }
}
