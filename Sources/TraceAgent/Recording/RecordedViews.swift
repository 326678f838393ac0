// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The records of all streams of a recording, in order of time; of the same time, in order of the
/// CPU. Nothing is decoded or copied.
///
/// Can be gone through once. The closing record is not among them.
package struct RecordedViews {
  private struct Stream {
    var time: UInt64
    var number: Int

    func isEarlier(than other: Stream) -> Bool {
      time == other.time ? number < other.number : time < other.time
    }
  }

  private let cursors: [StreamCursor]
  /// The stream that gave the last record, or is to give the first one; nil at the end.
  private var leader: Stream?
  /// A heap of the others: the one with the earliest record first. Streams at their end are taken
  /// out.
  private var others: [Stream]
  /// The leader's record has been given: the stream goes on before anything else is asked of it.
  private var isGiven = false

  init(_ cursors: [StreamCursor]) {
    self.cursors = cursors
    others = cursors.enumerated().compactMap { number, cursor in
      cursor.current.map { Stream(time: $0.header.time_ns, number: number) }
    }
    leader = nil
    for index in others.indices.reversed() { sink(index) }
    leader = popEarliest()
    skipClosing()
  }

  /// The next record: good until the next call of this, or of ``settle()``.
  package mutating func next() -> RecordView? {
    settle()
    guard let leader else { return nil }
    isGiven = true
    return cursors[leader.number].current
  }

  /// The time of the next record; nil at the end. Ask it after ``settle()``.
  var nextTime: UInt64? { leader?.time }

  /// Lets go of the record that ``next()`` gave.
  mutating func settle() {
    guard isGiven else { return }
    isGiven = false
    goOn()
    skipClosing()
  }

  private mutating func skipClosing() {
    while let leader, let record = cursors[leader.number].current,
      record.header.kind == MRT_KIND_COUNTER.rawValue, ClosingRecord(record.event) != nil
    {
      goOn()
    }
  }

  /// Moves the leading stream on, and finds the one that leads then.
  private mutating func goOn() {
    guard let number = leader?.number else { return }
    cursors[number].advance()
    guard let time = cursors[number].current?.header.time_ns else {
      leader = popEarliest()
      return
    }
    let stream = Stream(time: time, number: number)
    guard let first = others.first, first.isEarlier(than: stream) else {
      leader = stream
      return
    }
    leader = first
    others[0] = stream
    sink(0)
  }

  private mutating func popEarliest() -> Stream? {
    guard let first = others.first else { return nil }
    let last = others.removeLast()
    if !others.isEmpty {
      others[0] = last
      sink(0)
    }
    return first
  }

  private mutating func sink(_ start: Int) {
    let sinking = others[start]
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < others.count else { break }
      if child + 1 < others.count, others[child + 1].isEarlier(than: others[child]) { child += 1 }
      guard others[child].isEarlier(than: sinking) else { break }
      others[place] = others[child]
      place = child
    }
    others[place] = sinking
  }
}
