// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Export
import Glibc
import Terminal

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Convert recordings to JSON Lines, CSV, SQLite or a Perfetto trace.",
    discussion: """
      Works on any machine, without root, and in bounded memory. Several recordings, of several hosts or runs, \
      are merged by wall-clock time. Without -o, jsonl and csv go to standard output, perfetto and sqlite to \
      NAME.pftrace and NAME.sqlite in the current directory, where NAME is the (first) recording's. Files are \
      readable for their owner only: they hold addresses and file names.

      EXAMPLES
        mrtrace export rec --to jsonl | jq -r 'select(.type == "failure") | .cause'
        mrtrace export rec --to csv -o failures.csv
        mrtrace export rec --to perfetto -o rec.pftrace      open it in https://ui.perfetto.dev
        mrtrace export rec --to sqlite && sqlite3 rec.sqlite 'SELECT * FROM failures_by_cause'
        mrtrace export node1/rec node2/rec --to sqlite -o both.sqlite
        mrtrace export --schema                              what a line of jsonl looks like
      """)

  @Option(name: .customLong("to"), help: "What to convert to.")
  var format: ExportFormat?

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The file; - is standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite the file.")
  var force = false

  @Flag(
    help: """
      Exit with status 3 when anything was lost: records without room, runs of hooks the kernel skipped, \
      operations not followed, a recording cut off or damaged. What is filtered or only counted is not lost.
      """)
  var strict = false

  @Flag(help: "Print the JSON Schema of a line of jsonl.")
  var schema = false

  @Argument(help: ArgumentHelp("The recording's directory. Repeatable.", valueName: "dir"))
  var directories: [String] = []

  func validate() throws {
    if schema {
      guard directories.isEmpty, output == nil, !force, format ?? .jsonl == .jsonl else {
        throw ValidationError("--schema stands alone.")
      }
      return
    }
    guard !directories.isEmpty else { throw ValidationError("give the recording's directory.") }
    guard let format else {
      let names = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("give --to: \(names).")
    }
    if output == "-" {
      if !format.isStream {
        throw ValidationError("\(format.rawValue) needs a file: -o - is no place for it.")
      }
      if !format.isText, isatty(STDOUT_FILENO) == 1 {
        throw ValidationError("\(format.rawValue) is not text: -o - must not be a terminal.")
      }
    }
  }

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    if schema { return Output.results(JSONLinesSchema.text) }
    guard let format else { return }
    let outcome: ExportJob.Outcome
    do throws(ExportError) {
      let job = try ExportJob(
        directories: directories, format: format, output: output, force: force)
      for note in job.notes { Output.notes("mrtrace: \(note)\n") }
      let progress = ExportProgress()
      defer { progress.clear() }
      outcome = try job.run(progress: progress.show)
    } catch {
      // As "report | head" does: the output ends, and that is no failure.
      if error == .readerGone { return }
      throw Output.fail(error.sentence)
    }
    for sentence in outcome.sentences { Output.notes("mrtrace: \(sentence)\n") }
    if strict, !outcome.isComplete {
      Output.notes(ExitStatus.lostNote(directories))
      throw ExitCode(ExitStatus.lost)
    }
  }
}

extension ExportFormat: ExpressibleByArgument {}

/// "export: 42 %" on standard error, where that is a terminal.
private final class ExportProgress {
  private var line = ProgressLine(style: Output.style(of: STDERR_FILENO))

  func show(_ part: Double) { Output.notes(line.show("export: \(Int(part * 100)) %")) }
  func clear() { Output.notes(line.clear()) }
}
