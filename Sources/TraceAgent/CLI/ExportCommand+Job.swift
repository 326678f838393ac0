// SPDX-License-Identifier: Apache-2.0

import Export
import Glibc
import Recording
import Terminal

/// Recordings on their way into one file.
struct ExportJob {
  let directories: [String]
  let format: ExportFormat
  /// nil: standard output for text, otherwise a file named after the recording.
  let output: String?
  let force: Bool

  /// False: something is missing in the recording.
  func run() throws(ExportError) -> Bool {
    // First, so that no file is left where there is no recording.
    let recordings: RecordedRuns
    do throws(RecordingError) {
      recordings = try RecordedRuns.open(directories)
    } catch {
      throw .recording(error)
    }
    for note in recordings.notes { Output.notes("mrtrace: \(note)\n") }
    let runs = recordings.runs
    var file = try target(apartFrom: runs)
    let isComplete =
      switch format {
      case .jsonl: try export(runs, JSONLinesExporter(ByteOutput(to: file)))
      case .csv: try export(runs, CSVExporter(ByteOutput(to: file)))
      case .perfetto: try export(runs, PerfettoExporter(ByteOutput(to: file)))
      case .sqlite: try export(runs, try SQLiteExporter(path: file.workPath))
      }
    try file.keep()
    return isComplete
  }

  private func target(apartFrom runs: [RecordedRun]) throws(ExportError) -> ExportFile {
    if output == "-" || output == nil && format.isText { return .standardOutput }
    let path = output ?? "\(name).\(format.fileSuffix)"
    if isInRecording(path, runs) { throw .insideRecording(path: path) }
    return try .create(path, force: force)
  }

  /// Whether a file of this path would be one of a recording's own.
  private func isInRecording(_ path: String, _ runs: [RecordedRun]) -> Bool {
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
    _ runs: [RecordedRun], _ exporter: consuming some Exporter
  ) throws(ExportError) -> Bool {
    let progress = Progress()
    defer { progress.clear() }
    var run = ExportRun(runs, watched: \.watchedFunctions, progress: progress.show)
    var exporter = exporter
    let all = try run.export(to: &exporter)
    progress.clear()
    for (run, totals) in zip(runs, all) {
      let place = runs.count > 1 ? "\(run.name): " : ""
      for sentence in totals.summary.sentences {
        Output.notes("mrtrace: \(place)\(sentence)\n")
      }
    }
    return all.allSatisfy(\.isComplete)
  }

  /// "export: 42 %" on standard error, where that is a terminal.
  private final class Progress {
    private var line = ProgressLine(style: Output.style(of: STDERR_FILENO))

    func show(_ part: Double) { Output.notes(line.show("export: \(Int(part * 100)) %")) }
    func clear() { Output.notes(line.clear()) }
  }
}
