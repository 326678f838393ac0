// SPDX-License-Identifier: Apache-2.0

import Glibc
import Recording

/// Converts recordings into one file, or to standard output.
package struct ExportJob {
  /// What an export says of the recordings that went into it.
  package struct Outcome {
    /// What is missing in them, a sentence each.
    package var sentences: [String] = []
    package var isComplete = true
  }

  private let directories: [String]
  private let format: ExportFormat
  private let output: String?
  private let force: Bool
  private let runs: [RecordedRun]
  /// What the user should know of the recordings before they are read.
  package let notes: [String]

  /// Opens the recordings, so that no file is left where there is none. `output`: "-" is standard output; nil, standard
  /// output for text, otherwise a file named after the recording.
  package init(
    directories: [String], format: ExportFormat, output: String?, force: Bool
  ) throws(ExportError) {
    self.directories = directories
    self.format = format
    self.output = output
    self.force = force
    do throws(RecordingError) {
      let recordings = try RecordedRuns.open(directories)
      runs = recordings.runs
      notes = recordings.notes
    } catch {
      throw .recording(error)
    }
  }

  /// `progress` gets the part that is done, from 0 to 1.
  package func run(progress: @escaping (Double) -> Void) throws(ExportError) -> Outcome {
    var file = try target()
    let outcome =
      switch format {
      case .jsonl: try export(JSONLinesExporter(ByteOutput(to: file)), progress)
      case .csv: try export(CSVExporter(ByteOutput(to: file)), progress)
      case .perfetto: try export(PerfettoExporter(ByteOutput(to: file)), progress)
      case .sqlite: try export(try SQLiteExporter(path: file.workPath), progress)
      }
    try file.keep()
    return outcome
  }

  private func target() throws(ExportError) -> ExportFile {
    if output == "-" || output == nil && format.isText { return .standardOutput }
    let path = output ?? "\(name).\(format.fileSuffix)"
    if isInRecording(path) { throw .insideRecording(path: path) }
    return try .create(path, force: force)
  }

  /// Whether a file of this path would be one of a recording's own.
  private func isInRecording(_ path: String) -> Bool {
    let parent = path.lastIndex(of: "/").map { path[...$0] } ?? "."
    var place = stat()
    guard stat(String(parent), &place) == 0 else { return false }
    let recordings = directories + runs.flatMap { $0.parts.map(\.path) }
    return recordings.contains { directory in
      var recording = stat()
      return stat(directory, &recording) == 0 && recording.st_dev == place.st_dev
        && recording.st_ino == place.st_ino
    }
  }

  /// The last part of the first recording's path.
  private var name: String {
    directories.first?.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init)
      ?? "recording"
  }

  private func export(
    _ exporter: consuming some Exporter, _ progress: @escaping (Double) -> Void
  ) throws(ExportError) -> Outcome {
    var run = ExportRun(runs, watched: \.watchedFunctions, progress: progress)
    var exporter = exporter
    var outcome = Outcome()
    for (run, totals) in zip(runs, try run.export(to: &exporter)) {
      let place = runs.count > 1 ? "\(run.name): " : ""
      outcome.sentences += totals.summary.sentences.map { place + $0 }
      if !totals.isComplete { outcome.isComplete = false }
    }
    return outcome
  }
}
