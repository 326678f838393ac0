// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Glibc
import Recording
import Report
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
        mrtrace report node1/rec node2/rec                   several hosts, in order of time
        mrtrace report --diff before after                   what a patch or another kernel changed
      """)

  @Flag(help: "One JSON object a line for each failed operation.")
  var json = false

  @Flag(help: "With --json: every operation recorded, not only the failed ones.")
  var all = false

  @Flag(help: "Compare two recordings, before and after: causes, rates, page flags, latencies.")
  var diff = false

  @Flag(
    help: """
      Exit with status 3 when anything was lost: records without room, runs of hooks the kernel skipped, \
      operations not followed, a recording cut off or damaged; or where not all was watched that could fail. What is filtered \
      or only counted is not lost.
      """)
  var strict = false

  @Argument(help: ArgumentHelp("The recording's directory. Repeatable.", valueName: "dir"))
  var directories: [String]

  func validate() throws {
    if all && !json { throw ValidationError("--all goes with --json.") }
    guard diff else { return }
    if all { throw ValidationError("--all does not go with --diff.") }
    guard directories.count == 2 else {
      throw ValidationError("--diff takes two recordings: the one before and the one after.")
    }
  }

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    if diff { return try compare() }
    let recordings: RecordedRuns
    do throws(RecordingError) {
      recordings = try RecordedRuns.open(directories)
    } catch {
      throw Output.fail(error.sentence)
    }
    for note in recordings.notes { Output.notes("mrtrace: \(note)\n") }
    let reports = recordings.runs.map { RecordingReport.load($0, keepAll: all) }
    let style = Output.style(of: STDOUT_FILENO)
    let merged = MergedReport(reports: reports)
    var output = ResultStream()
    switch (json, reports.count) {
    case (false, 1): reports[0].text(style: style, into: &output)
    case (false, _): merged.text(style: style, into: &output)
    case (true, 1): reports[0].jsonLines(all: all, into: &output)
    case (true, _): merged.jsonLines(all: all, into: &output)
    }
    output.flush()
    guard json else { return try checkComplete(reports) }
    // what a reader of the objects alone would not know
    for report in reports {
      let place = reports.count > 1 ? "\(report.name): " : ""
      for sentence in report.summary.losses { Output.notes("mrtrace: \(place)\(sentence)\n") }
    }
    try checkComplete(reports)
  }

  /// Under --strict, what is missing is a failure.
  private func checkComplete(_ reports: [RecordingReport]) throws {
    guard strict, !reports.allSatisfy(\.summary.isComplete) else { return }
    Output.notes(ExitStatus.lostNote(directories))
    throw ExitCode(ExitStatus.lost)
  }

  /// As `diff`, but that the exit status does not tell whether there are differences: 1 is a failure.
  private func compare() throws {
    let reports = try directories.map { directory in
      let runs: [RecordedRun]
      do throws(RecordingError) {
        runs = try RecordedRuns.open([directory]).runs
      } catch {
        throw Output.fail(error.sentence)
      }
      guard runs.count == 1 else {
        throw Output.fail(
          "\(directory) has parts of \(runs.count) runs: --diff compares one run with another.")
      }
      return RecordingReport.load(runs[0], keepAll: false)
    }
    let comparison = Comparison(
      before: reports[0].comparisonSide, after: reports[1].comparisonSide)
    Output.results(
      json ? comparison.jsonLine + "\n" : comparison.text(style: Output.style(of: STDOUT_FILENO)))
    try checkComplete(reports)
  }
}
