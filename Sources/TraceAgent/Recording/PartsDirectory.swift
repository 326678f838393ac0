// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The directory of a run that is recorded in parts, and how many of them stay.
final class PartsDirectory {
  let place: RecordingPlace
  /// nil: all of them.
  private let keep: Int?
  /// Of the newest part.
  private(set) var last = 0
  /// The oldest part that is still written.
  var oldestOpen = 1

  init(at path: String, keep: Int?) throws(RecordingError) {
    place = try RecordingPlace.make(path)
    self.keep = keep
  }

  /// Makes the next part. It has its name only when `fill` has come to its end; if it does not,
  /// nothing is left of it.
  func add(
    _ environment: RecordingEnvironment,
    fill: (RecordingWriter) throws(RecordingError) -> Void
  ) throws(RecordingError) -> RecordingWriter {
    try place.check()
    while true {
      let name = RecordingParts.name(last + 1)
      let draft = "\(place.path)/.\(name).draft"
      do throws(RecordingError) {
        var environment = environment
        environment.part = last + 1
        let writer = try RecordingWriter.create(
          at: draft, environment: environment)
        try fill(writer)
        try writer.move(to: "\(place.path)/\(name)")
        last += 1
        writer.reclaim = { [weak self] in self?.removeOldest() ?? false }
        return writer
      } catch {
        RecordingPlace.remove(draft)
        guard error.isFullDisk, removeOldest() else { throw error }
      }
    }
  }

  /// Removes the oldest parts that are too many.
  func removeSurplus() {
    guard let keep else { return }
    let parts = RecordingParts.numbers(in: place.path)
    for part in parts.dropLast(keep) { RecordingPlace.remove("\(place.path)/\(part.name)") }
  }

  /// On a full disk: removes the oldest part, where only some are to be kept, and nothing is
  /// written into it. False: there is none.
  private func removeOldest() -> Bool {
    guard keep != nil, let oldest = RecordingParts.numbers(in: place.path).first,
      oldest.number < oldestOpen
    else { return false }
    RecordingPlace.remove("\(place.path)/\(oldest.name)")
    return true
  }
}
