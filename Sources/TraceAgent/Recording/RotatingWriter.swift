// SPDX-License-Identifier: Apache-2.0

import Events

/// Writes a recording in parts of about one size, each a whole recording. The next one stands
/// before the one before it is closed, so that a run that was killed has a last part that is not
/// closed, and says so.
package final class RotatingWriter: RecordingSink {
  package var path: String { directory.place.path }

  private let directory: PartsDirectory
  private let maxSize: Int
  private var environment: RecordingEnvironment
  private var current: RecordingWriter

  /// Room for what is written at the end of a part: names and totals.
  private static let endSize = 64 * 1024
  /// The smallest part.
  package static let minSize = 256 * 1024

  /// Makes the directory `path`, which must not be there, and the first part. `keep`: how many parts
  /// stay; nil: all.
  package static func create(
    at path: String, environment: RecordingEnvironment, maxSize: Int, keep: Int?
  ) throws(RecordingError) -> RotatingWriter {
    let directory = try PartsDirectory(at: path, keep: keep)
    do throws(RecordingError) {
      let first = try directory.add(environment) { _ throws(RecordingError) in }
      return RotatingWriter(directory, maxSize: maxSize, environment, first)
    } catch {
      RecordingPlace.remove(path)
      throw error
    }
  }

  private init(
    _ directory: PartsDirectory, maxSize: Int, _ environment: RecordingEnvironment,
    _ current: RecordingWriter
  ) {
    self.directory = directory
    self.maxSize = maxSize
    self.environment = environment
    self.current = current
  }

  /// The part is as large as it may become: ``rotate(now:)``.
  package var isFull: Bool { current.size + Self.endSize + RecordingWriter.packetSize > maxSize }

  /// Begins the next part. Totals and names belong to the end of a part: they are to be appended
  /// before.
  package func rotate(now: UInt64) throws(RecordingError) {
    try current.flushAll()
    var next = environment
    next.completeFromNs = now
    let writer = try directory.add(next) { _ throws(RecordingError) in }
    try end(.size, now: now, waiting: false)
    environment = next
    current = writer
    directory.oldestOpen = directory.last
    directory.removeSurplus()
  }

  package func close(now: UInt64) throws(RecordingError) { try end(.end, now: now, waiting: true) }

  private func end(
    _ reason: RecordingEnvironment.PartEnd, now: UInt64, waiting: Bool
  ) throws(RecordingError) {
    var ended = environment
    ended.part = RecordingParts.number(of: current.path)
    ended.partEnd = reason
    // Without this, a full disk perhaps, a reader takes it that something lies between.
    current.retell(ended)
    try current.close(now: now, waiting: waiting)
  }

  // MARK: RecordingSink

  package func append(
    _ bytes: UnsafeRawBufferPointer, cpu: Int
  ) throws(RecordingError) -> Bool {
    try current.append(bytes, cpu: cpu)
  }

  package func append(_ event: Event) throws(RecordingError) { try current.append(event) }
  package func discarded(_ count: UInt64, cpu: Int) { current.discarded(count, cpu: cpu) }
  package func flush(now: UInt64) throws(RecordingError) { try current.flush(now: now) }
  package func flushAll() throws(RecordingError) { try current.flushAll() }

  package func update(_ environment: RecordingEnvironment) throws(RecordingError) {
    var changed = environment
    changed.completeFromNs = self.environment.completeFromNs
    self.environment = changed
    changed.part = RecordingParts.number(of: current.path)
    try current.update(changed)
  }

  package func checkPlace() throws(RecordingError) {
    try directory.place.check()
    try current.checkPlace()
  }
}
