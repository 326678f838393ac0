// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser

/// Ends the program with a sentence that says what to do, and with the right status.
extension Output {
  static func fail(_ sentence: String) -> ExitCode {
    notes("mrtrace: \(sentence)\n")
    return ExitCode(1)
  }

  static func wrongUsage(_ sentence: String) -> ExitCode {
    notes("mrtrace: \(sentence)\n")
    return ExitCode(2)
  }
}
