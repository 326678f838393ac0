// SPDX-License-Identifier: Apache-2.0

import Model

/// The object of `report --diff --json`. Keys may be added, never renamed.
extension Comparison {
  /// One line without its newline.
  package var jsonLine: String {
    var object = JSONObject()
    object.add("finding", finding)
    object.add("warnings", .strings(warnings))
    object.add("doubtful", isDoubtful)
    object.add("before", Self.side(sides.before))
    object.add("after", Self.side(sides.after))
    object.add("causes", .array(causes.map(Self.cause)))
    object.add(
      "rates",
      .array(
        rates.map { row in
          Self.row(row.rate, Self.rate) { $0.add("operation", row.kind.rawValue) }
        }))
    object.add(
      "flags",
      .array(
        flags.map { row in
          Self.row(row.row, Self.pages) { $0.add("flags", .strings(row.flags)) }
        }))
    object.add(
      "latencies",
      .array(
        latencies.map { row in
          Self.row(row.histogram, Self.latency) {
            $0.add("operation", row.kind.rawValue)
            $0.add("result", row.failed ? "failed" : "ok")
          }
        }))
    object.add(
      "hooks",
      .array(
        hooks.map { row in
          Self.row(row.hook, { .string($0?.rung ?? "none") }) { $0.add("function", row.function) }
        }))
    return JSON.object(object).line
  }

  /// What a row is of, and a value of each side.
  private static func row<Value>(
    _ pair: Pair<Value>, _ value: (Value) -> JSON, _ names: (inout JSONObject) -> Void
  ) -> JSON {
    var object = JSONObject()
    names(&object)
    object.add("before", value(pair.before))
    object.add("after", value(pair.after))
    return .object(object)
  }

  private static func side(_ side: ComparisonSide) -> JSON {
    var object = JSONObject()
    object.add("recording", side.recording)
    object.add("host", side.host)
    object.add("kernel", side.kernel)
    object.add("build_id", side.buildID)
    object.add("machine", side.machine)
    object.add("detail", side.detail)
    object.add("start_ns", number: side.startWallNs)
    object.add("failed", number: side.failed)
    object.add("mended", number: side.mended)
    object.add("complete", side.summary.isComplete)
    object.add("missing", .strings(side.summary.losses))
    return .object(object)
  }

  private static func cause(_ row: CauseRow) -> JSON {
    var object = JSONObject()
    object.add("cause", row.cause)
    object.add("errno", row.errno)
    object.add("operation", row.kind.rawValue)
    object.add("before", number: row.count.before)
    object.add("after", number: row.count.after)
    object.add("mended_before", number: row.mended.before)
    object.add("mended_after", number: row.mended.after)
    return .object(object)
  }

  private static func rate(_ rate: Rate) -> JSON {
    var object = JSONObject()
    object.add("seen", number: rate.seen)
    object.add("failed", number: rate.failed)
    object.add("mended", number: rate.mended)
    return .object(object)
  }

  private static func pages(_ row: PageFlagsText.Row) -> JSON {
    var object = JSONObject()
    object.add("accepted", number: row.accepted)
    object.add("in_failed_walks", number: row.inFailedWalks)
    object.add("decided", number: row.decided)
    return .object(object)
  }

  private static func latency(_ histogram: Histogram) -> JSON {
    var object = JSONObject()
    object.add("count", number: histogram.count)
    object.add("p50_ns", number: histogram.value(permille: 500))
    object.add("p90_ns", number: histogram.value(permille: 900))
    object.add("p99_ns", number: histogram.value(permille: 990))
    object.add("max_ns", number: histogram.maximum)
    return .object(object)
  }
}
