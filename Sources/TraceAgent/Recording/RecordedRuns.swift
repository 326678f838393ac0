// SPDX-License-Identifier: Apache-2.0

/// The runs that are in some recordings: parts of the same run belong together, whoever names them.
package struct RecordedRuns {
  /// In order of their first recording.
  package let runs: [RecordedRun]
  /// What was done with the recordings that the reader may not expect, a sentence each.
  package let notes: [String]

  /// Opens what is at `paths`: recordings, or directories of the parts of one.
  package static func open(_ paths: [String]) throws(RecordingError) -> RecordedRuns {
    var names: [String] = []
    var parts: [String: [RecordedRun.Part]] = [:]
    var order: [String] = []
    var seen: [String: String] = [:]
    var notes: [String] = []
    for path in paths {
      var again = 0
      let partPaths = RecordingParts.of(path)
      var failures: [RecordingError] = []
      var ofPath: [RecordedRun.Part] = []
      for partPath in partPaths {
        do throws(RecordingError) {
          ofPath.append(RecordedRun.Part(try RecordingReader.open(partPath)))
        } catch {
          failures.append(error)
        }
      }
      // One part that cannot be read does not hide the others.
      if ofPath.isEmpty, let failure = failures.first { throw failure }
      if !failures.isEmpty { ofPath[0].beside = failures.map { .unreadable($0) } }
      for part in ofPath {
        if let first = seen[part.uuid.text] {
          if partPaths.count == 1 {
            notes.append("\(path) is the same recording as \(first): it is read once.")
          }
          again += 1
          continue
        }
        seen[part.uuid.text] = path
        let run = part.environment.runUUID ?? part.uuid.text
        if parts[run] == nil {
          order.append(run)
          // A directory may hold parts of more than one run.
          names.append(names.contains(path) ? part.path : path)
        }
        parts[run, default: []].append(part)
      }
      if partPaths.count > 1, again > 0 {
        notes.append("\(again) parts of \(path) were given before: they are read once.")
      }
    }
    let runs = zip(order, names).map { run, name in
      RecordedRun(name: name, parts: parts[run] ?? [])
    }
    return RecordedRuns(runs: runs, notes: notes)
  }
}
