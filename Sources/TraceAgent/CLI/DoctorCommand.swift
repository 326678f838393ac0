// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Glibc
import Terminal

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "What can be traced on this kernel, what is in the way, and the command that mends it.",
    discussion: """
      The checks stand in the order in which they must be mended. Changes nothing. The exit status is 0 when \
      tracing works, with gaps (warnings) or without, and 1 when it cannot. In --json a check's "id", a device's \
      "transports" and a mount's "dax" are for scripts and keep their names.

      EXAMPLES
        sudo mrtrace doctor
        sudo mrtrace doctor --json | jq -r .verdict
      """)

  @Flag(help: "One JSON object.")
  var json = false

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    let report = DoctorFacts.report()
    if json {
      Output.results(DoctorJSON.line(report) + "\n")
    } else {
      Output.results(DoctorText.render(report, style: Output.style(of: STDOUT_FILENO)))
    }
    if report.status == .fail { throw ExitCode(1) }
  }
}
