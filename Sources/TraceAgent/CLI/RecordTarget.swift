// SPDX-License-Identifier: Apache-2.0

import Pump
import Recording

extension RecordTarget {
  /// Parts of a flight recorder that stay, unless told otherwise.
  static let keptParts = 10

  static func create(
    at path: String, _ environment: RecordingEnvironment, _ options: RecordCommand
  ) throws(RecordingError) -> RecordTarget {
    if let size = options.ring {
      return .memory(
        try .create(
          at: path, environment: environment, size: size.bytes,
          keep: options.keep ?? keptParts))
    }
    if let size = options.maxSize {
      return .parts(
        try .create(
          at: path, environment: environment, maxSize: size.bytes, keep: options.keep))
    }
    return .whole(try .create(at: path, environment: environment))
  }
}
