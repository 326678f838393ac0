// SPDX-License-Identifier: Apache-2.0

import Export
import Glibc
import Recording
import Terminal

/// One recording on its way into one file.
struct ExportJob {
  let directory: String
  let format: ExportFormat
  /// nil: standard output for text, otherwise a file named after the recording.
  let output: String?
  let force: Bool

  func run() throws(ExportError) {
    // First, so that no file is left where there is no recording.
    let reader: RecordingReader
    do throws(RecordingError) {
      reader = try RecordingReader.open(directory)
    } catch {
      throw .recording(error)
    }
    var file = try target()
    switch format {
    case .jsonl: try export(reader, JSONLinesExporter(ByteOutput(to: file)))
    case .csv: try export(reader, CSVExporter(ByteOutput(to: file)))
    case .perfetto: try export(reader, PerfettoExporter(ByteOutput(to: file)))
    case .sqlite: try export(reader, try SQLiteExporter(path: file.workPath))
    }
    try file.keep()
  }

  private func target() throws(ExportError) -> ExportFile {
    if output == "-" || output == nil && format.isText { return .standardOutput }
    let path = output ?? "\(name).\(format.fileSuffix)"
    if isInRecording(path) { throw .insideRecording(path: path) }
    return try .create(path, force: force)
  }

  /// Whether a file of this path would be one of the recording's own.
  private func isInRecording(_ path: String) -> Bool {
    let parent = path.lastIndex(of: "/").map { path[...$0] } ?? "."
    var recording = stat()
    var place = stat()
    return stat(directory, &recording) == 0 && stat(String(parent), &place) == 0
      && recording.st_dev == place.st_dev && recording.st_ino == place.st_ino
  }

  /// The last part of the recording's path.
  private var name: String {
    directory.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? "recording"
  }

  private func export(
    _ reader: RecordingReader, _ exporter: consuming some Exporter
  ) throws(ExportError) {
    let progress = Progress()
    defer { progress.clear() }
    var run = ExportRun(
      reader, watched: reader.environment.watchedFunctions, progress: progress.show)
    var exporter = exporter
    let totals = try run.export(to: &exporter)
    progress.clear()
    for problem in totals.problems { Output.notes("mrtrace: \(problem)\n") }
    if totals.lost > 0 {
      Output.notes("mrtrace: \(totals.lost) records found no room and are lost.\n")
    }
    if totals.unfinishedOperations > 0 {
      Output.notes(
        "mrtrace: \(totals.unfinishedOperations) operations have evidence but no end in the "
          + "recording.\n")
    }
  }

  /// "export: 42 %" on standard error, where that is a terminal.
  private final class Progress {
    private var line = ProgressLine(style: Output.style(of: STDERR_FILENO))

    func show(_ part: Double) { Output.notes(line.show("export: \(Int(part * 100)) %")) }
    func clear() { Output.notes(line.clear()) }
  }
}
