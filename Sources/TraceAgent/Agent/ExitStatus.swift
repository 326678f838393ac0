// SPDX-License-Identifier: Apache-2.0

/// Exit statuses with a meaning of their own.
package enum ExitStatus {
  /// Under --strict: something is missing in the recording.
  package static let lost: Int32 = 3

  package static func lostNote(_ recordings: [String]) -> String {
    let names = recordings.joined(separator: " ")
    return "mrtrace: something is missing, and --strict asks for all: mrtrace report \(names) says "
      + "what\n"
  }
}
