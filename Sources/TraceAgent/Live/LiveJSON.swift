// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// The same numbers as JSON, one object a line (docs/live.md): keys may be added, never renamed.
package struct LiveJSON: Sendable {
  private var told: UInt64 = 0

  package init() {}

  /// A line of type "failure" for each failure since the last call (the object of `report --json`), then one of type
  /// "live", which tells how many more there were than are kept.
  package mutating func lines(_ snapshot: LiveSnapshot, isLast: Bool) -> String {
    var text = ""
    let new = snapshot.recent.filter { $0.number > told }
    for failure in new {
      text += Self.failure(failure.diagnosis, clockOffsetNs: snapshot.clockOffsetNs) + "\n"
    }
    let untold = snapshot.explained - min(told, snapshot.explained) - UInt64(new.count)
    told = snapshot.explained
    return text + Self.numbers(snapshot, untold: untold, isLast: isLast) + "\n"
  }

  private static func failure(_ diagnosis: Diagnosis, clockOffsetNs: Int64) -> String {
    // Its first member is "operation": the type goes before it.
    let line = DiagnosisJSON.line(diagnosis, clockOffsetNs: clockOffsetNs)
    return "{\"type\":\"failure\"," + line.dropFirst()
  }

  static func numbers(_ snapshot: LiveSnapshot, untold: UInt64 = 0, isLast: Bool) -> String {
    var object = JSONObject()
    object.add("type", "live")
    object.add(
      "time_ns",
      WallClock.nanoseconds(monotonic: snapshot.timeNs, offset: snapshot.clockOffsetNs)
        .map(JSON.signed))
    object.add("elapsed_ns", number: snapshot.elapsedNs)
    object.add("interval_ns", number: snapshot.intervalNs)
    object.add("last", isLast)
    object.add("operations", .array(snapshot.kinds.map(kind)))
    if let invalidations = snapshot.invalidations {
      var member = count(invalidations)
      add(snapshot.invalidationDurations, to: &member)
      object.add("invalidations", .object(member))
    }
    var pages = count(snapshot.pages)
    pages.add("in_failed_walks", number: snapshot.pagesInFailedWalks)
    pages.add("sampled", snapshot.pagesAreSampled)
    object.add("pages", .object(pages))
    object.add("failed", number: snapshot.failed)
    object.add("explained", number: snapshot.explained)
    object.add("mended", number: snapshot.mended)
    object.add("untold", number: untold)
    object.add("causes", .array(snapshot.causes.map(cause)))
    object.add("flags", .array(snapshot.flags.map(flags)))
    object.add("processes", ranking(snapshot.processes))
    object.add("regions", ranking(snapshot.regions))
    object.add("files", ranking(snapshot.files))
    object.add("lost", number: snapshot.lost)
    object.add(
      "losses",
      .array(
        snapshot.losses.map { loss in
          var member = JSONObject()
          member.add("function", loss.function)
          member.add("what", loss.what)
          member.add("count", number: loss.count)
          return .object(member)
        }))
    object.add("not_hooked", .strings(snapshot.gaps))
    object.add("not_seen", .strings(snapshot.blindness))
    return JSON.object(object).line
  }

  private static func count(_ count: LiveSnapshot.Count) -> JSONObject {
    var object = JSONObject()
    object.add("total", number: count.total)
    object.add("new", number: count.new)
    return object
  }

  private static func add(_ durations: LiveSnapshot.Durations?, to object: inout JSONObject) {
    guard let durations else { return }
    object.add("p50_ns", number: durations.p50Ns)
    object.add("p99_ns", number: durations.p99Ns)
    object.add("max_ns", number: durations.maximumNs)
    object.add("sum_ns", number: durations.sumNs)
  }

  private static func kind(_ kind: LiveSnapshot.Kind) -> JSON {
    var object = JSONObject()
    object.add("operation", kind.kind.rawValue)
    object.add("total", number: kind.operations.total)
    object.add("new", number: kind.operations.new)
    object.add("failed", number: kind.failed.total)
    object.add("failed_new", number: kind.failed.new)
    var good = JSONObject()
    add(kind.succeeded, to: &good)
    object.add("succeeded_durations", good.orNil)
    var bad = JSONObject()
    add(kind.failures, to: &bad)
    object.add("failed_durations", bad.orNil)
    return .object(object)
  }

  private static func cause(_ row: LiveSnapshot.CauseRow) -> JSON {
    var object = JSONObject()
    object.add("cause", row.cause)
    object.add("total", number: row.failures.total)
    object.add("new", number: row.failures.new)
    object.add("mended", number: row.mended)
    object.add("errnos", .strings(row.errnos))
    object.add("confidences", .strings(row.confidences))
    return .object(object)
  }

  private static func flags(_ row: PageFlagsText.Row) -> JSON {
    var object = JSONObject()
    object.add("flags", .strings(row.flags))
    object.add("accepted", number: row.accepted)
    object.add("in_failed_walks", number: row.inFailedWalks)
    object.add("decided", number: row.decided)
    return .object(object)
  }

  private static func ranking(_ ranking: LiveSnapshot.Ranking) -> JSON {
    var object = JSONObject()
    object.add("exact", ranking.isExact)
    object.add("by_failures", .array(ranking.byFailures.map(row)))
    object.add("others_by_failures", ranking.othersByFailures.map(row))
    object.add("by_fault_time", .array(ranking.byFaultTime.map(row)))
    object.add("others_by_fault_time", ranking.othersByFaultTime.map(row))
    return .object(object)
  }

  private static func row(_ row: LiveSnapshot.RankRow) -> JSON {
    var object = JSONObject()
    object.add("name", row.name)
    object.add("pid", number: row.pid)
    object.add("operations", number: row.operations)
    object.add("failures", number: row.failures)
    object.add("fault_ns", number: row.faultNs)
    return .object(object)
  }
}
