// SPDX-License-Identifier: Apache-2.0

import Events

/// The records of all parts of a run, in order of time, where they stand. Can be gone through once.
///
/// A part is opened when its time has come: the streams of CPUs end at different times, so that two
/// parts can overlap.
package struct RunViews {
  private struct Open {
    var number: Int
    var reader: RecordingReader
    var views: RecordedViews
  }

  private let run: RecordedRun
  /// Parts from this one on are not open yet.
  private var waiting = 0
  private var open: [Open] = []
  /// The open part whose record was given last.
  private var given: Int?
  /// The part of the last record: 0, 1, …
  package private(set) var part = 0

  init(_ run: RecordedRun) {
    self.run = run
    openDue()
  }

  /// The time of the next record; nil at the end. Ask it after ``settle()``.
  package var nextTime: UInt64? { open.lazy.compactMap(\.views.nextTime).min() }

  /// The next record: good until the next call of this, or of ``settle()``.
  package mutating func next() -> RecordView? {
    settle()
    guard !open.isEmpty else { return nil }
    let index = open.count == 1 ? 0 : earliest
    given = index
    part = open[index].number
    return open[index].views.next()
  }

  /// Lets go of the record that ``next()`` gave.
  package mutating func settle() {
    guard let index = given else { return }
    given = nil
    open[index].views.settle()
    if open[index].views.nextTime == nil {
      run.note(open[index].reader.problems, of: open[index].number)
      open.remove(at: index)
    }
    if waiting < run.parts.count { openDue() }
  }

  private var earliest: Int {
    open.indices.min { open[$0].views.nextTime ?? .max < open[$1].views.nextTime ?? .max } ?? 0
  }

  /// Opens the parts that begin before what is to be read next, and at least one.
  private mutating func openDue() {
    while waiting < run.parts.count {
      let part = run.parts[waiting]
      if let next = nextTime, (part.firstNs ?? 0) > next { return }
      do throws(RecordingError) {
        let reader = try RecordingReader.open(part.path)
        let views = reader.views()
        if views.nextTime == nil {
          run.note(reader.problems, of: waiting)
        } else {
          open.append(Open(number: waiting, reader: reader, views: views))
        }
      } catch {
        // It was there a moment ago.
        run.note(part.problems + [.unreadable(error)], of: waiting)
      }
      waiting += 1
    }
  }
}
