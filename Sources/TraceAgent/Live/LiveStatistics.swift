// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// Operations and diagnoses to what the live views show; in bounded memory, however long it runs.
package struct LiveStatistics: Sendable {
  private struct Process: Hashable {
    var pid: Int
    var comm: String
  }
  private struct Region: Hashable {
    var pid: Int?
    var address: UInt64
    var length: UInt64?
  }
  private struct CauseTally {
    var failures: UInt64 = 0
    var shown: UInt64 = 0
    var mended: UInt64 = 0
    var errnos: Set<String> = []
    var confidences: Set<String> = []
    var lastNs: UInt64 = 0
  }
  private struct Previous {
    var timeNs: UInt64
    var operations: [Operation.Kind: UInt64] = [:]
    var failed: [Operation.Kind: UInt64] = [:]
    var invalidations: UInt64 = 0
    var pages: UInt64 = 0
  }

  /// Failures kept with all their evidence.
  private static let recentLimit = 100
  /// Rows of a table that a view can ask for.
  private static let rowLimit = 20
  /// More kinds of page-table entries than any kernel makes.
  private static let flagLimit = 512

  private let startNs: UInt64
  private let clockOffsetNs: Int64
  private var counted: [Operation.Kind: LiveCounters.Durations] = [:]
  private var causes: [String: CauseTally] = [:]
  private var decided: [[String]: UInt64] = [:]
  private var recent: [LiveSnapshot.Failure] = []
  private var explained: UInt64 = 0
  private var mended: UInt64 = 0
  private var processes = RankedTable<Process>()
  private var regions = RankedTable<Region>()
  private var files = RankedTable<String>()
  private var previous: Previous

  package init(startNs: UInt64, clockOffsetNs: Int64) {
    self.startNs = startNs
    self.clockOffsetNs = clockOffsetNs
    previous = Previous(timeNs: startNs)
  }

  /// A finished operation; `diagnosis` where it failed.
  package mutating func add(_ operation: Operation, diagnosis: Diagnosis?) {
    if operation.failed {
      counted[operation.kind, default: .init()].failed.record(operation.durationNs ?? 0)
    } else {
      counted[operation.kind, default: .init()].succeeded.record(operation.durationNs ?? 0)
    }
    rank(operation, diagnosis)
    if let diagnosis { explain(diagnosis) }
  }

  /// The state at `nowNs`; `counters` are the kernel's, where there is a kernel to ask: they count
  /// what made no record too. `pages`: where there is none.
  package mutating func snapshot(
    counters: LiveCounters?, pages recorded: [PageCount] = [], nowNs: UInt64
  ) -> LiveSnapshot {
    var snapshot = LiveSnapshot()
    snapshot.timeNs = nowNs
    snapshot.clockOffsetNs = clockOffsetNs
    snapshot.elapsedNs = nowNs > startNs ? nowNs - startNs : 0
    snapshot.intervalNs = nowNs > previous.timeNs ? nowNs - previous.timeNs : 0
    var now = Previous(timeNs: nowNs)
    let durations = counters?.operations ?? counted
    for kind in Operation.Kind.allCases {
      let one = durations[kind] ?? .init()
      let failed = one.failed.count
      let total = one.succeeded.count &+ failed
      now.operations[kind] = total
      now.failed[kind] = failed
      snapshot.kinds.append(
        .init(
          kind: kind, operations: count(total, since: previous.operations[kind]),
          failed: count(failed, since: previous.failed[kind]),
          succeeded: .init(one.succeeded), failures: .init(one.failed)))
    }
    if let invalidations = counters?.invalidations {
      now.invalidations = invalidations.count
      snapshot.invalidations = count(now.invalidations, since: previous.invalidations)
      snapshot.invalidationDurations = .init(invalidations)
    }
    let pages = counters?.pages ?? recorded
    now.pages = pages.reduce(0) { $0 &+ $1.pages }
    snapshot.pages = count(now.pages, since: previous.pages)
    snapshot.pagesInFailedWalks =
      pages.filter { $0.outcome == .inFailedWalk }.reduce(0) { $0 &+ $1.pages }
    snapshot.pagesAreSampled = pages.contains { $0.weight > 1 }
    snapshot.flags = PageFlagsText.rows(decided: decided, pages)
    addFailures(to: &snapshot)
    snapshot.losses = counters?.losses ?? []
    snapshot.gaps = counters?.gaps ?? []
    snapshot.blindness = counters?.blindness ?? []
    previous = now
    return snapshot
  }

  private mutating func addFailures(to snapshot: inout LiveSnapshot) {
    snapshot.explained = explained
    snapshot.mended = mended
    snapshot.recent = recent
    snapshot.causes = causes.map { cause, tally in
      .init(
        cause: cause, failures: .init(total: tally.failures, new: tally.failures - tally.shown),
        mended: tally.mended, errnos: tally.errnos.sorted(),
        confidences: tally.confidences.sorted(), lastNs: tally.lastNs)
    }.sorted {
      $0.failures.total != $1.failures.total
        ? $0.failures.total > $1.failures.total : $0.cause < $1.cause
    }
    causes = causes.mapValues { tally in
      var tally = tally
      tally.shown = tally.failures
      return tally
    }
    snapshot.processes = Self.ranking(processes) { ($0.comm, $0.pid) }
    snapshot.regions = Self.ranking(regions) { region in
      var name = Quantity.hex(region.address)
      if let length = region.length { name += " +\(Quantity.hex(length))" }
      return (name, region.pid)
    }
    snapshot.files = Self.ranking(files) { ($0, nil) }
  }

  private func count(_ total: UInt64, since before: UInt64?) -> LiveSnapshot.Count {
    let before = before ?? 0
    return .init(total: total, new: total > before ? total - before : 0)
  }

  // MARK: - One operation

  private mutating func rank(_ operation: Operation, _ diagnosis: Diagnosis?) {
    let faultNs = operation.kind.isRegistration ? 0 : operation.durationNs ?? 0
    let isProblem = operation.failed && operation.recoveredBy == nil
    let tally = RankTally(
      operations: 1, failures: isProblem ? 1 : 0, faultNs: faultNs, lastNs: operation.endNs)
    let people = operation.people
    if let pid = people.pid {
      processes.add(Process(pid: pid, comm: people.comm ?? "?"), tally)
    }
    if let address = operation.mr.address {
      regions.add(
        Region(pid: people.pid, address: address, length: operation.mr.length), tally)
    }
    // Only evidence of a failure names the file.
    if let file = diagnosis?.mapping?.file {
      files.add(file.path.isEmpty ? "inode \(file.inode)" : file.path, tally)
    }
  }

  private mutating func explain(_ diagnosis: Diagnosis) {
    explained &+= 1
    let isMended = diagnosis.operation.recoveredBy != nil
    if isMended { mended &+= 1 }
    var tally = causes[diagnosis.cause] ?? CauseTally()
    tally.failures &+= 1
    if isMended { tally.mended &+= 1 }
    if tally.errnos.count < 16 { tally.errnos.insert(diagnosis.errno.description) }
    tally.confidences.insert(diagnosis.confidence.rawValue)
    tally.lastNs = max(tally.lastNs, diagnosis.operation.endNs)
    causes[diagnosis.cause] = tally
    if let key = PageFlagsText.key(of: diagnosis),
      decided[key] != nil || decided.count < Self.flagLimit
    {
      decided[key, default: 0] &+= 1
    }
    if recent.count >= Self.recentLimit { recent.removeFirst() }
    recent.append(.init(number: explained, diagnosis: diagnosis))
  }

  private static func ranking<Key>(
    _ table: RankedTable<Key>, name: (Key) -> (String, Int?)
  ) -> LiveSnapshot.Ranking {
    func rows(_ order: RankOrder) -> ([LiveSnapshot.RankRow], LiveSnapshot.RankRow?) {
      let (rows, rest) = table.top(rowLimit, by: order)
      let shown = rows.map { row in
        let (name, pid) = name(row.key)
        return LiveSnapshot.RankRow(name: name, pid: pid, row.tally)
      }
      return (shown, rest.map { .init(name: "others", pid: nil, $0) })
    }
    var ranking = LiveSnapshot.Ranking(isExact: table.isExact)
    (ranking.byFailures, ranking.othersByFailures) = rows(.failures)
    (ranking.byFaultTime, ranking.othersByFaultTime) = rows(.faultTime)
    return ranking
  }
}

extension LiveSnapshot.RankRow {
  fileprivate init(name: String, pid: Int?, _ tally: RankTally) {
    self.init(
      name: name, pid: pid, operations: tally.operations, failures: tally.failures,
      faultNs: tally.faultNs)
  }
}
