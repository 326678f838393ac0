// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording

/// Rates over a tenth of a second, and what was lost, as points of counter tracks.
struct PerfettoCounters {
  struct Point {
    var counter: PerfettoTracks.Counter
    var timeNs: UInt64
    var value: UInt64
  }

  private static let bucketNs: UInt64 = 100_000_000
  private static let bucketsPerSecond: UInt64 = 10

  private var isStarted = false
  /// The bucket being filled.
  private var bucket: UInt64?
  private var counts: [PerfettoTracks.Counter: UInt64] = [:]
  /// Each hook's totals, and when the last of them was told.
  private var losses: [UInt32: (lost: UInt64, missed: UInt64)] = [:]
  private var lossTime: UInt64?
  private var accounted: Set<UInt32> = []

  /// The points that `event` completes.
  mutating func add(_ event: Event) -> [Point] {
    var points: [Point] = []
    let time = event.timeNs
    if !isStarted {
      isStarted = true
      // Before the first total nothing was lost.
      points += [.lost, .missed].map { Point(counter: $0, timeNs: time, value: 0) }
    }
    if let told = lossTime, told != time { points += loss(at: told) }
    switch event {
    // Made by the agent at the end, not what the kernel side sent.
    case .symbol, .cgroup, .pages: return points
    case .account(let record):
      let account = HookAccount(record, function: "")
      losses[record.h.hook] = (account.recordsLost, account.runsMissed)
      accounted.insert(record.h.hook)
      lossTime = time
      return points
    case .counter(let record):
      // of a recording older than the accounts, or the closing record, which is of no hook
      guard !accounted.contains(record.h.hook), record.h.hook != MRT_HOOK_NONE.rawValue else {
        return points
      }
      losses[record.h.hook] = (record.counts.lost, record.missed)
      lossTime = time
      return points
    default: break
    }
    let number = time / Self.bucketNs
    // Times do not go back but in a broken recording.
    if let bucket, number > bucket { points += rates(of: bucket, next: number) }
    bucket = max(bucket ?? number, number)
    counts[.records, default: 0] += 1
    if case .operation(let record) = event {
      counts[.operations, default: 0] += 1
      if record.result < 0 { counts[.failures, default: 0] += 1 }
    }
    return points
  }

  mutating func finish() -> [Point] {
    var points: [Point] = []
    if let bucket { points += rates(of: bucket, next: nil) }
    if let lossTime { points += loss(at: lossTime) }
    return points
  }

  private mutating func rates(of bucket: UInt64, next: UInt64?) -> [Point] {
    var points: [Point] = []
    for counter in [PerfettoTracks.Counter.operations, .failures, .records] {
      let rate = (counts[counter] ?? 0) * Self.bucketsPerSecond
      points.append(Point(counter: counter, timeNs: bucket * Self.bucketNs, value: rate))
      if next != bucket + 1 {
        // Nothing came for a while.
        points.append(Point(counter: counter, timeNs: (bucket &+ 1) &* Self.bucketNs, value: 0))
      }
    }
    counts = [:]
    return points
  }

  private mutating func loss(at time: UInt64) -> [Point] {
    lossTime = nil
    var lost: UInt64 = 0
    var missed: UInt64 = 0
    for hook in losses.values {
      lost = HookAccount.sum([lost, hook.lost])
      missed = HookAccount.sum([missed, hook.missed])
    }
    return [
      Point(counter: .lost, timeNs: time, value: lost),
      Point(counter: .missed, timeNs: time, value: missed),
    ]
  }
}
