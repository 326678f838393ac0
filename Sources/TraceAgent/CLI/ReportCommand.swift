// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Recording
import Terminal

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Diagnose a recording: on any machine, without root.",
    discussion: """
      Prints every failed operation in order with its cause, then totals by cause, and what was lost.

      EXAMPLES
        mrtrace report mrtrace-20261122-101500
        mrtrace report --json rec | jq -r '.cause + " " + .page.address'
        mrtrace report --json --all rec | jq -s length
      """)

  @Flag(help: "One JSON object a line for each failed operation.")
  var json = false

  @Flag(help: "With --json: every operation recorded, not only the failed ones.")
  var all = false

  @Argument(help: ArgumentHelp("The recording's directory. Repeatable.", valueName: "dir"))
  var directories: [String]

  func validate() throws {
    if all && !json { throw ValidationError("--all goes with --json.") }
  }

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    for directory in directories {
      let report: RecordingReport
      do throws(RecordingError) {
        report = try RecordingReport.load(directory, keepAll: all)
      } catch {
        throw Output.fail(error.sentence)
      }
      if json {
        printJSON(report)
      } else {
        if directories.count > 1 { Output.results("\(directory):\n\n") }
        Output.results(report.text(style: Output.style(of: STDOUT_FILENO)))
      }
    }
  }

  private func printJSON(_ report: RecordingReport) {
    let offset = report.environment.clockOffsetNs
    var diagnoses = report.diagnoses.makeIterator()
    if all {
      for operation in report.operations {
        if operation.failed, let diagnosis = diagnoses.next() {
          Output.results(DiagnosisJSON.line(diagnosis, clockOffsetNs: offset) + "\n")
        } else {
          Output.results(DiagnosisJSON.operationLine(operation, clockOffsetNs: offset) + "\n")
        }
      }
    } else {
      for diagnosis in report.diagnoses {
        Output.results(DiagnosisJSON.line(diagnosis, clockOffsetNs: offset) + "\n")
      }
    }
    // what a reader of the objects alone would not know
    for problem in report.summary.problems { Output.notes("mrtrace: \(problem)\n") }
  }
}
