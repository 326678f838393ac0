// SPDX-License-Identifier: Apache-2.0

import Model

/// One side of `report --diff`: a recording and all that was made of it.
package struct ComparisonSide: Sendable {
  /// A watched function and how it was attached.
  package struct Hook: Equatable, Sendable {
    package var function: String
    package var rung: String
    package var isAttached: Bool
    package init(function: String, rung: String, isAttached: Bool) {
      self.function = function
      self.rung = rung
      self.isAttached = isAttached
    }
  }

  package var recording: String
  package var host: String
  package var kernel: String
  package var buildID: String?
  package var machine: String
  package var detail: String
  package var startWallNs: UInt64
  package var hooks: [Hook]
  package var failures: FailureTotals
  package var latencies: OperationLatencies
  package var summary: ReportSummary

  package init(
    recording: String, host: String, kernel: String, buildID: String?, machine: String,
    detail: String, startWallNs: UInt64, hooks: [Hook], failures: FailureTotals,
    latencies: OperationLatencies, summary: ReportSummary
  ) {
    self.recording = recording
    self.host = host
    self.kernel = kernel
    self.buildID = buildID
    self.machine = machine
    self.detail = detail
    self.startWallNs = startWallNs
    self.hooks = hooks
    self.failures = failures
    self.latencies = latencies
    self.summary = summary
  }

  /// Operations that did not fail were recorded too: how many there were is known.
  var tellsSuccesses: Bool { detail != "failures" }
  var failed: Int { failures.failed }
  var mended: Int { failures.mended }
}

/// A value of each side.
struct Pair<Value: Sendable>: Sendable {
  var before: Value
  var after: Value
}

extension Pair: Equatable where Value: Equatable {
  var isSame: Bool { before == after }
}

extension Pair where Value == UInt64 {
  var difference: UInt64 { before > after ? before - after : after - before }
  var larger: UInt64 { max(before, after) }
}

/// Two recordings compared: which causes, rates, flags and latencies differ, and what of that can be
/// trusted. Its order depends on nothing but the recordings.
package struct Comparison: Sendable {
  struct CauseRow: Equatable, Sendable {
    var cause: String
    var errno: String
    var kind: Operation.Kind
    /// Failures, those that the program mended too.
    var count: Pair<UInt64>
    var mended: Pair<UInt64>
  }

  struct Rate: Equatable, Sendable {
    /// Operations of any result; nil where successes were not recorded.
    var seen: UInt64?
    var failed: UInt64
    var mended: UInt64
  }

  struct RateRow: Equatable, Sendable {
    var kind: Operation.Kind
    var rate: Pair<Rate>
  }

  struct FlagsRow: Equatable, Sendable {
    var row: Pair<PageFlagsText.Row>
    var flags: [String] { row.before.flags }
  }

  struct LatencyRow: Equatable, Sendable {
    var kind: Operation.Kind
    var failed: Bool
    var histogram: Pair<Histogram>
  }

  struct HookRow: Equatable, Sendable {
    var function: String
    /// nil: not among the hooks.
    var hook: Pair<ComparisonSide.Hook?>
  }

  let sides: Pair<ComparisonSide>
  let causes: [CauseRow]
  let rates: [RateRow]
  let flags: [FlagsRow]
  let latencies: [LatencyRow]
  /// Functions that were not watched alike.
  let hooks: [HookRow]

  package init(before: ComparisonSide, after: ComparisonSide) {
    sides = Pair(before: before, after: after)
    causes = Self.causes(sides)
    rates = Self.rates(sides)
    flags = Self.flags(sides)
    latencies = Self.latencies(sides)
    hooks = Self.hooks(sides)
  }

  /// Something is missing on either side: any difference may be due to that.
  var isDoubtful: Bool { !sides.before.summary.isComplete || !sides.after.summary.isComplete }

  private static func causes(_ sides: Pair<ComparisonSide>) -> [CauseRow] {
    struct Key: Hashable {
      var cause: String
      var errno: String
      var kind: Operation.Kind
    }
    var rows: [Key: CauseRow] = [:]
    func add(
      _ side: ComparisonSide, _ place: WritableKeyPath<Pair<UInt64>, UInt64>
    ) {
      for counted in side.failures.rows {
        let key = Key(
          cause: counted.key.cause, errno: counted.key.errno.description, kind: counted.key.kind)
        var row =
          rows[key]
          ?? CauseRow(
            cause: key.cause, errno: key.errno, kind: key.kind,
            count: Pair(before: 0, after: 0), mended: Pair(before: 0, after: 0))
        row.count[keyPath: place] += counted.count
        row.mended[keyPath: place] += counted.mended
        rows[key] = row
      }
    }
    add(sides.before, \.before)
    add(sides.after, \.after)
    return rows.values.sorted { one, other in
      if one.count.difference != other.count.difference {
        return one.count.difference > other.count.difference
      }
      if one.count.larger != other.count.larger { return one.count.larger > other.count.larger }
      return (one.cause, one.errno, one.kind.rawValue)
        < (other.cause, other.errno, other.kind.rawValue)
    }
  }

  private static func rates(_ sides: Pair<ComparisonSide>) -> [RateRow] {
    func rate(_ side: ComparisonSide, _ kind: Operation.Kind) -> Rate {
      let failures = side.failures.rows.filter { $0.key.kind == kind }
      let mended = failures.reduce(0) { $0 + $1.mended }
      let seen = side.summary.seen.filter { $0.kind == kind }
        .reduce(UInt64(0)) { $0.addingSaturating($1.count) }
      return Rate(
        seen: side.tellsSuccesses ? seen : nil,
        failed: failures.reduce(0) { $0 + $1.count } - mended,
        mended: mended)
    }
    return Operation.Kind.allCases.map { kind in
      RateRow(
        kind: kind, rate: Pair(before: rate(sides.before, kind), after: rate(sides.after, kind)))
    }.filter { row in
      [row.rate.before, row.rate.after].contains { ($0.seen ?? 0) > 0 || $0.failed + $0.mended > 0 }
    }
  }

  private static func flags(_ sides: Pair<ComparisonSide>) -> [FlagsRow] {
    func rows(_ side: ComparisonSide) -> [[String]: PageFlagsText.Row] {
      Dictionary(
        PageFlagsText.rows(decided: side.failures.decided, side.summary.pages).map {
          ($0.flags, $0)
        },
        uniquingKeysWith: { first, _ in first })
    }
    let (before, after) = (rows(sides.before), rows(sides.after))
    let rows = Set(before.keys).union(after.keys).map { flags in
      FlagsRow(
        row: Pair(
          before: before[flags] ?? .init(flags: flags), after: after[flags] ?? .init(flags: flags)))
    }
    return rows.sorted { one, other in
      let decided = (one.decided, other.decided)
      if decided.0.difference != decided.1.difference {
        return decided.0.difference > decided.1.difference
      }
      if decided.0.larger != decided.1.larger { return decided.0.larger > decided.1.larger }
      if one.pages != other.pages { return one.pages > other.pages }
      return one.flags.lexicographicallyPrecedes(other.flags)
    }
  }

  private static func latencies(_ sides: Pair<ComparisonSide>) -> [LatencyRow] {
    var rows: [LatencyRow] = []
    for kind in Operation.Kind.allCases {
      for failed in [false, true] {
        let key = OperationLatencies.Key(kind: kind, failed: failed)
        let row = LatencyRow(
          kind: kind, failed: failed,
          histogram: Pair(
            before: sides.before.latencies.histograms[key] ?? Histogram(),
            after: sides.after.latencies.histograms[key] ?? Histogram()))
        if !row.histogram.before.isEmpty || !row.histogram.after.isEmpty { rows.append(row) }
      }
    }
    return rows
  }

  private static func hooks(_ sides: Pair<ComparisonSide>) -> [HookRow] {
    func hooks(_ side: ComparisonSide) -> [String: ComparisonSide.Hook] {
      // The compiler's suffix is another one in each build.
      Dictionary(
        side.hooks.map { (String($0.function.prefix { $0 != "." }), $0) },
        uniquingKeysWith: { $0.isAttached ? $0 : $1 })
    }
    let (before, after) = (hooks(sides.before), hooks(sides.after))
    return Set(before.keys).union(after.keys).sorted().map { function in
      HookRow(function: function, hook: Pair(before: before[function], after: after[function]))
    }.filter { row in
      let attached = [row.hook.before, row.hook.after].map { $0?.isAttached ?? false }
      return attached[0] != attached[1]
    }
  }
}

extension Comparison.FlagsRow {
  fileprivate var decided: Pair<UInt64> {
    Pair(before: row.before.decided, after: row.after.decided)
  }
  fileprivate var pages: UInt64 {
    [row.before, row.after].reduce(0) {
      $0.addingSaturating($1.accepted).addingSaturating($1.inFailedWalks)
    }
  }
}
