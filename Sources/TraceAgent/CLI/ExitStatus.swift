// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Exit statuses with a meaning of their own.
enum ExitStatus {
  /// Under --strict: something is missing in the recording.
  static let lost: Int32 = 3

  static func lostNote(_ recordings: [String]) -> String {
    let names = recordings.joined(separator: " ")
    return "mrtrace: something is missing, and --strict asks for all: mrtrace report \(names) says "
      + "what\n"
  }
}
