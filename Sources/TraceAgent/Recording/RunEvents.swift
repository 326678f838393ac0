// SPDX-License-Identifier: Apache-2.0

import Events

/// The events of all parts of a run, in order of time. Can be gone through once.
///
/// A part is opened when its time has come: the streams of CPUs end at different times, so that two
/// parts can overlap.
package struct RunEvents: Sequence, IteratorProtocol {
  private struct Open {
    var number: Int
    var reader: RecordingReader
    var events: RecordedEvents
  }

  private let run: RecordedRun
  /// Parts from this one on are not open yet.
  private var waiting = 0
  private var open: [Open] = []
  /// The part of the last event: 0, 1, …
  package private(set) var part = 0

  init(_ run: RecordedRun) {
    self.run = run
    openDue()
  }

  /// The time of the next record; nil at the end.
  package var nextTime: UInt64? { open.lazy.compactMap(\.events.nextTime).min() }

  package mutating func next() -> Event? {
    while !open.isEmpty {
      let index = open.count == 1 ? 0 : earliest
      part = open[index].number
      let event = open[index].events.next()
      if event == nil || open[index].events.nextTime == nil {
        run.note(open[index].reader.problems, of: open[index].number)
        open.remove(at: index)
      }
      if waiting < run.parts.count { openDue() }
      if let event { return event }
    }
    return nil
  }

  private var earliest: Int {
    open.indices.min { open[$0].events.nextTime ?? .max < open[$1].events.nextTime ?? .max } ?? 0
  }

  /// Opens the parts that begin before what is to be read next, and at least one.
  private mutating func openDue() {
    while waiting < run.parts.count {
      let part = run.parts[waiting]
      if let next = nextTime, (part.firstNs ?? 0) > next { return }
      do throws(RecordingError) {
        let reader = try RecordingReader.open(part.path)
        let events = reader.events()
        if events.nextTime == nil {
          run.note(reader.problems, of: waiting)
        } else {
          open.append(Open(number: waiting, reader: reader, events: events))
        }
      } catch {
        // It was there a moment ago.
        run.note(part.problems + [.unreadable(error)], of: waiting)
      }
      waiting += 1
    }
  }
}
