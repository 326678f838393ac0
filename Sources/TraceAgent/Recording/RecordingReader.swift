// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc

/// Reads a recording, whole or not: everything up to the last whole packet of each stream.
///
/// A recording is untrusted input: every size is checked before it is used.
package final class RecordingReader {
  /// Sums over all streams.
  package struct Totals: Equatable, Sendable {
    /// Records in the files, the closing record not counted.
    package var records: UInt64 = 0
    /// Records that the recorder knew to be lost.
    package var discarded: UInt64 = 0
    /// Records whose time was moved to keep their stream in order.
    package var clamped: UInt64 = 0
  }

  package let path: String
  package let environment: RecordingEnvironment
  package let totals: Totals
  /// The recorder came to its end; what is missing has its own ``problems``.
  package let isClosed: Bool
  /// The time of the first packet; nil where there is none.
  package let firstNs: UInt64?
  let uuid: TraceUUID

  private let streams: [StreamReader]
  private let problemsOfStreams: [RecordingProblem]
  private var log = ProblemLog()

  /// Larger metadata is none of ours.
  private static let metadataLimit = 4 * 1024 * 1024

  /// Reads the metadata at `path` and looks through the packets of every stream.
  package static func open(_ path: String) throws(RecordingError) -> RecordingReader {
    let (environment, uuid) = try metadata(of: path)
    var problems: [RecordingProblem] = []
    var streams: [StreamReader] = []
    for name in try streamNames(in: path) {
      do throws(RecordingError) {
        streams.append(
          StreamReader(
            try InputFile("\(path)/\(name)"), name: name, uuid: uuid,
            headerSize: environment.hasChecksums
              ? PacketHeader.size : PacketHeader.sizeWithoutChecksums))
      } catch {
        problems.append(.unreadable(error))
      }
    }
    var totals = Totals()
    var closing: ClosingRecord?
    var firstNs: UInt64?
    for stream in streams {
      do throws(RecordingError) {
        let summary = try stream.summary()
        totals.records += summary.records
        // Damaged numbers may be any: no overflow.
        totals.discarded &+= summary.discarded
        totals.clamped &+= summary.clamped
        closing = closing ?? summary.closing
        if let first = summary.firstNs { firstNs = min(firstNs ?? first, first) }
        problems += summary.problems
      } catch {
        problems.append(.unreadable(error))
      }
    }
    if let closing {
      totals.records -= 1
      totals.discarded = max(totals.discarded, closing.discarded)
      if closing.written > totals.records {
        problems.append(.recordsMissing(count: closing.written - totals.records))
      }
    } else {
      problems.append(.notClosed)
    }
    return RecordingReader(
      path: path, environment: environment, totals: totals, isClosed: closing != nil,
      firstNs: firstNs, uuid: uuid, streams: streams, problems: problems)
  }

  private init(
    path: String, environment: RecordingEnvironment, totals: Totals, isClosed: Bool,
    firstNs: UInt64?, uuid: TraceUUID, streams: [StreamReader], problems: [RecordingProblem]
  ) {
    self.path = path
    self.environment = environment
    self.totals = totals
    self.isClosed = isClosed
    self.firstNs = firstNs
    self.uuid = uuid
    self.streams = streams
    problemsOfStreams = problems
  }

  /// What is missing or damaged: from the start what the packets show, and, as ``events()`` are
  /// gone through, what their records show.
  package var problems: [RecordingProblem] { problemsOfStreams + log.problems }

  /// All events in order of time. Holds one packet of each stream in memory.
  package func events() -> RecordedEvents { RecordedEvents(views()) }

  /// As ``events()``, the records where they stand.
  package func views() -> RecordedViews {
    let log = ProblemLog()
    self.log = log
    let isNewer = environment.formatMinor > RecordingEnvironment.formatMinor
    return RecordedViews(
      streams.map { StreamCursor($0, isNewer: isNewer, problems: log) })
  }

  private static func metadata(
    of path: String
  ) throws(RecordingError) -> (RecordingEnvironment, TraceUUID) {
    let text: [UInt8]
    do throws(RecordingError) {
      text = try InputFile("\(path)/metadata").read(limit: metadataLimit)
    } catch {
      switch error {
      case .cannotRead(_, ENOENT) where access(path, F_OK) == 0, .cannotRead(_, ENOTDIR),
        .cannotRead(_, EINVAL):
        let inside = recordings(in: path)
        throw inside.isEmpty
          ? .notARecording(path: path) : .holdsRecordings(path: path, names: inside)
      case .cannotRead(_, ENOENT): throw .cannotRead(path: path, errno: ENOENT)
      default: throw error
      }
    }
    do throws(MetadataError) {
      let isRight = MetadataChecksum.isRight(text)
      if isRight == false { throw .checksum }
      let fields = try TSDLParser.environment(of: text)
      let environment = try RecordingEnvironment(fields)
      if isRight == nil && environment.hasChecksums { throw .checksum }
      guard let uuid = TraceUUID(try fields.string("trace_uuid")) else {
        throw .invalid(key: "trace_uuid")
      }
      return (environment, uuid)
    } catch {
      throw .metadata(path: path, error)
    }
  }

  /// The stream files in order of their CPU.
  private static func streamNames(in path: String) throws(RecordingError) -> [String] {
    var streams: [(cpu: Int, name: String)] = []
    for name in try DirectoryNames.of(path) {
      let prefix = "stream_"
      if name.hasPrefix(prefix), let cpu = Int(name.dropFirst(prefix.count)) {
        streams.append((cpu, name))
      }
    }
    return streams.sorted { ($0.cpu, $0.name) < ($1.cpu, $1.name) }.map(\.name)
  }

  /// The recordings that are in a directory which is none, by name.
  private static func recordings(in path: String) -> [String] {
    let names = DirectoryNames.ifReadable(path)
    return names.filter { access("\(path)/\($0)/metadata", F_OK) == 0 }.sorted()
  }
}
