// SPDX-License-Identifier: Apache-2.0

/// When the flight recorder writes what it holds because operations fail.
///
/// A second after the first failure, so that what comes late is in it; and then not again for a
/// while: a storm of failures is one event.
package struct FailureTrigger {
  package static let delayNs: UInt64 = 1_000_000_000
  package static let pauseNs: UInt64 = 10_000_000_000

  package init() {}

  /// The first failure that has not been written.
  private var firstFailure: UInt64?
  private var lastWritten: UInt64?

  package mutating func failed(at timeNs: UInt64) { firstFailure = firstFailure ?? timeNs }

  package func isDue(at now: UInt64) -> Bool {
    guard let firstFailure, now >= firstFailure, now - firstFailure >= Self.delayNs else {
      return false
    }
    guard let lastWritten else { return true }
    return now >= lastWritten && now - lastWritten >= Self.pauseNs
  }

  /// All that failed up to now is on disk, or cannot be written at the moment.
  package mutating func written(at now: UInt64) {
    firstFailure = nil
    lastWritten = now
  }
}
