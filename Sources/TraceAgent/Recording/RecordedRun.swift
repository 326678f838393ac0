// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Model

/// One run of `record`, read as one: a recording, or all parts of a rotated one that are there.
///
/// Of its parts only what their metadata and packets say is held; they are opened again to be read.
package final class RecordedRun {
  /// One recording on disk.
  package struct Part: Sendable {
    package var path: String
    package var environment: RecordingEnvironment
    package var totals: RecordingReader.Totals
    package var isClosed: Bool
    /// The earliest time of a packet; nil where there is none.
    package var firstNs: UInt64?
    package var problems: [RecordingProblem]
    /// Of other parts, which cannot be opened.
    var beside: [RecordingProblem] = []
    var uuid: TraceUUID

    init(_ reader: RecordingReader) {
      path = reader.path
      environment = reader.environment
      totals = reader.totals
      isClosed = reader.isClosed
      firstNs = reader.firstNs
      problems = reader.problems
      uuid = reader.uuid
    }
  }

  /// As it was given: unique among runs that are read together.
  package let name: String
  /// In the order they were written.
  package private(set) var parts: [Part]
  /// The environment that the last part recorded, with the start time of the first part.
  package let environment: RecordingEnvironment
  /// Operations that began before this time may lack evidence (CLOCK_MONOTONIC, ns).
  package let completeFromNs: UInt64?

  /// Where a part does not go on where the one before it ends: what began before and ended later may
  /// lack evidence. In order.
  private let gaps: [UInt64]

  /// `parts` is not empty.
  init(name: String, parts: [Part]) {
    let parts = parts.sorted {
      ($0.environment.part ?? 0, $0.firstNs ?? 0) < ($1.environment.part ?? 0, $1.firstNs ?? 0)
    }
    self.name = name
    self.parts = parts
    var environment = parts[parts.count - 1].environment
    environment.startWallNs = parts[0].environment.startWallNs
    self.environment = environment
    completeFromNs = parts[0].environment.completeFromNs
    gaps = zip(parts, parts.dropFirst()).filter { !$1.environment.continues($0.environment) }
      .compactMap { $1.environment.completeFromNs ?? $1.firstNs }.sorted()
  }

  /// Sums over the parts.
  package var totals: RecordingReader.Totals {
    var totals = RecordingReader.Totals()
    for part in parts {
      totals.records &+= part.totals.records
      totals.discarded &+= part.totals.discarded
      totals.clamped &+= part.totals.clamped
    }
    return totals
  }

  /// What is missing or damaged, a sentence each; complete when ``events()`` have been gone through.
  package var problems: [String] {
    var sentences = (missingParts + unwatched + lastPart).map(\.sentence)
    for part in parts {
      let place = parts.count > 1 ? "\(part.name): " : ""
      sentences += part.problems.map { place + $0.sentence } + part.beside.map(\.sentence)
    }
    return sentences + blindness
  }

  /// What could not be seen by its hooks; of one part alone with its name.
  private var blindness: [String] {
    let all = parts.map { (part: $0, sentences: $0.environment.sight.blindness) }
    var told: [String] = []
    for (part, sentences) in all {
      for sentence in sentences where !told.contains(sentence) {
        let isEverywhere = all.allSatisfy { $0.sentences.contains(sentence) }
        told.append(isEverywhere ? sentence : "\(part.name): \(sentence)")
      }
    }
    return told
  }

  /// The last part has them of the whole run.
  private var unwatched: [RecordingProblem] {
    (parts.last?.environment.unwatched ?? []).filter { $0.toNs > $0.fromNs }.map {
      $0.isFirst
        ? .late(module: $0.module, ns: $0.toNs - $0.fromNs)
        : .unwatched(module: $0.module, ns: $0.toNs - $0.fromNs)
    }
  }

  /// Parts that were written and are not here. The first ones are only missing where nobody took them
  /// away on purpose, which a recorder that keeps the last parts does.
  private var missingParts: [RecordingProblem] {
    zip(parts, parts.dropFirst()).compactMap { one, next in
      guard let before = one.environment.part, let after = next.environment.part,
        after - before > 1
      else { return nil }
      return .partsMissing(first: before + 1, last: after - 1)
    }
  }

  /// What the last part says of the run.
  private var lastPart: [RecordingProblem] {
    guard let part = parts.last, let number = part.environment.part else { return [] }
    var problems: [RecordingProblem] = []
    if let count = part.environment.overwritten, count > 0 {
      problems.append(.overwritten(count: count))
    }
    // A part that is read by itself need not be the last.
    let next = "\(part.path)/../\(RecordingParts.name(number &+ 1))/metadata"
    // One that the monitor wrote stands by itself, under a name of its own.
    let isNumbered = RecordingParts.number(of: part.path) != nil
    if isNumbered, part.isClosed, let end = part.environment.partEnd, end != .end,
      access(next, F_OK) != 0
    {
      problems.append(.noLastPart)
    }
    return problems
  }

  /// All events in order of time. Holds a packet of each stream, of parts that overlap in time.
  package func events() -> RunEvents { RunEvents(self) }

  /// As ``events()``, the records where they stand.
  package func views() -> RunViews { RunViews(self) }

  /// Says of an operation whether it may lack evidence of a part that is missing.
  package func markGaps(_ operation: inout Operation) {
    guard let start = operation.startNs, !gaps.isEmpty else { return }
    // The last gap before its end.
    var low = 0
    var high = gaps.count
    while low < high {
      let middle = (low + high) / 2
      if gaps[middle] <= operation.endNs { low = middle + 1 } else { high = middle }
    }
    if low > 0, start < gaps[low - 1] { operation.beganBeforeRecording = true }
  }

  /// What reading showed.
  func note(_ problems: [RecordingProblem], of part: Int) { parts[part].problems = problems }
}

extension RecordedRun.Part {
  /// The last part of the path.
  fileprivate var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

extension RecordingEnvironment {
  /// Nothing lies between `before` and this part of the same run.
  fileprivate func continues(_ before: RecordingEnvironment) -> Bool {
    guard let part, let other = before.part, part > other else { return false }
    return part - other == 1 && before.partEnd == .size
  }
}
