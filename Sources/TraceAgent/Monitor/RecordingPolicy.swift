// SPDX-License-Identifier: Apache-2.0

/// Which failures are worth a recording: those of a kind that has none yet, or not for a while.
package struct RecordingPolicy: Sendable {
  private struct Due: Sendable {
    var first: FailureKind
    var kinds: Set<FailureKind>
    var atNs: UInt64
  }

  /// More kinds than there are causes, errnos and functions together in practice.
  private static let kindLimit = 4096
  /// What belongs to a failure may come a little later.
  private static let delayNs: UInt64 = 1_000_000_000

  private var againNs: UInt64
  private var bucket: TokenBucket
  private var recorded: [FailureKind: UInt64] = [:]
  private var due: Due?
  /// What ended until then is in the last recording, explained by then or not.
  private var writtenNs: UInt64?
  /// Failures of a kind that had been recorded, and those that came too thick.
  package private(set) var known: UInt64 = 0
  package private(set) var limited: UInt64 = 0

  package init(againNs: UInt64, perHour: Int, now: UInt64) {
    self.againNs = againNs
    bucket = TokenBucket(capacity: perHour, per: 3_600_000_000_000, now: now)
  }

  /// As told by a new configuration; what has been recorded stays so.
  package mutating func change(againNs: UInt64, perHour: Int, now: UInt64) {
    self.againNs = againNs
    bucket = TokenBucket(capacity: perHour, per: 3_600_000_000_000, now: now)
  }

  /// A failed operation that ended at `endNs` has been explained `now`.
  package mutating func failed(_ kind: FailureKind, endNs: UInt64, now: UInt64) {
    if let writtenNs, endNs <= writtenNs, !isKnown(kind, now: now) {
      remember([kind], at: writtenNs)
    }
    if due != nil {
      if !isKnown(kind, now: now) { due?.kinds.insert(kind) }
      return
    }
    guard !isKnown(kind, now: now) else {
      known &+= 1
      return
    }
    guard !bucket.isEmpty(now: now) else {
      limited &+= 1
      return
    }
    let (at, overflow) = now.addingReportingOverflow(Self.delayNs)
    due = Due(first: kind, kinds: [kind], atNs: overflow ? .max : at)
  }

  /// The kind that a recording is to be named by, where one is to be made now.
  package func isDue(at now: UInt64) -> FailureKind? {
    guard let due, now >= due.atNs else { return nil }
    return due.first
  }

  /// It has been made, of all that ended until `now`; or could not be: then the kinds are still new.
  package mutating func settled(written: Bool, now: UInt64) {
    if written { writtenNs = now }
    guard let due else { return }
    self.due = nil
    _ = bucket.take(now: now)
    if written { remember(due.kinds, at: now) }
  }

  private mutating func remember(_ kinds: Set<FailureKind>, at now: UInt64) {
    if recorded.count + kinds.count > Self.kindLimit { recorded.removeAll() }
    for kind in kinds { recorded[kind] = now }
  }

  private func isKnown(_ kind: FailureKind, now: UInt64) -> Bool {
    guard let before = recorded[kind] else { return false }
    return now < before || now - before < againNs
  }
}
