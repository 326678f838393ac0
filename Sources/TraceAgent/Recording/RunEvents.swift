// SPDX-License-Identifier: Apache-2.0

import Events

/// As ``RunViews``, each record decoded.
package struct RunEvents: Sequence, IteratorProtocol {
  private var views: RunViews

  init(_ run: RecordedRun) { views = RunViews(run) }

  /// The part of the last event: 0, 1, …
  package var part: Int { views.part }
  /// The time of the next record; nil at the end.
  package var nextTime: UInt64? { views.nextTime }

  package mutating func next() -> Event? {
    let event = views.next()?.event
    views.settle()
    return event
  }
}
