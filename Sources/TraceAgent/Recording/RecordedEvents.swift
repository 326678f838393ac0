// SPDX-License-Identifier: Apache-2.0

import Events

/// The events of all streams of a recording, in order of time; of the same time, in order of the
/// CPU.
///
/// Can be gone through once. The closing record is not among them.
package struct RecordedEvents: Sequence, IteratorProtocol {
  /// A heap: the stream with the earliest event first. Streams at their end are taken out.
  private var streams: [(cursor: StreamCursor, number: Int)]

  init(_ cursors: [StreamCursor]) {
    streams = cursors.enumerated().map { ($1, $0) }.filter { $0.0.current != nil }
    for index in streams.indices.reversed() { sink(index) }
  }

  /// The time of the next record; nil at the end.
  var nextTime: UInt64? { streams.first?.cursor.currentTime }

  package mutating func next() -> Event? {
    while let first = streams.first, let event = first.cursor.current {
      first.cursor.advance()
      if first.cursor.current == nil {
        streams.swapAt(0, streams.count - 1)
        streams.removeLast()
      }
      sink(0)
      if ClosingRecord(event) == nil { return event }
    }
    return nil
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var earliest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < streams.count && isEarlier(child, than: earliest) { earliest = child }
      if earliest == parent { return }
      streams.swapAt(parent, earliest)
      parent = earliest
    }
  }

  private func isEarlier(_ one: Int, than other: Int) -> Bool {
    let one = streams[one]
    let other = streams[other]
    return (one.cursor.currentTime, one.number) < (other.cursor.currentTime, other.number)
  }
}
