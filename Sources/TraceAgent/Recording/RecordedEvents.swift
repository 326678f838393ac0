// SPDX-License-Identifier: Apache-2.0

import Events

/// As ``RecordedViews``, each record decoded.
package struct RecordedEvents: Sequence, IteratorProtocol {
  private var views: RecordedViews

  init(_ views: RecordedViews) { self.views = views }

  /// The time of the next record; nil at the end.
  var nextTime: UInt64? { views.nextTime }

  package mutating func next() -> Event? {
    let event = views.next()?.event
    views.settle()
    return event
  }
}
