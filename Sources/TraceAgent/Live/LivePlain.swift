// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// The same numbers as plain lines: where there is no terminal, or a dumb one.
package struct LivePlain: Sendable {
  /// Failures that have been told, by number.
  private var told: UInt64 = 0
  private var toldGaps: [String] = []
  private var toldBlindness: [String] = []
  /// Failures told one by one in an interval; the rest is counted.
  private static let most = 20

  package init() {}

  /// The failures since the last call, one line each; then one line for all numbers.
  package mutating func lines(_ snapshot: LiveSnapshot) -> String {
    var lines: [String] = []
    if toldBlindness != snapshot.blindness {
      toldBlindness = snapshot.blindness
      lines += snapshot.blindness.map { "not seen: \($0)" }
    }
    if toldGaps != snapshot.gaps {
      toldGaps = snapshot.gaps
      lines += snapshot.gaps.map { "not hooked: \($0)" }
    }
    let new = snapshot.recent.filter { $0.number > told }
    let shown = new.suffix(Self.most)
    let left = snapshot.explained - min(told, snapshot.explained) - UInt64(shown.count)
    if left > 0 { lines.append("failure: \(left) more") }
    lines += shown.map { "failure: " + LiveText.line($0, offset: snapshot.clockOffsetNs) }
    told = snapshot.explained
    lines.append(numbers(snapshot))
    return lines.map { SafeText.clean($0) + "\n" }.joined()
  }

  /// All numbers in one line.
  package func total(_ snapshot: LiveSnapshot) -> String {
    SafeText.clean(numbers(snapshot)) + "\n"
  }

  private func numbers(_ snapshot: LiveSnapshot) -> String {
    var parts: [String] = []
    for kind in snapshot.kinds where kind.operations.total > 0 {
      var text = "\(kind.kind.rawValue) \(kind.operations.total)"
      var details: [String] = []
      if snapshot.intervalNs > 0 {
        details.append(
          LiveText.rate(kind.operations.new, intervalNs: snapshot.intervalNs) + "/s")
      }
      if kind.failed.total > 0 { details.append("\(kind.failed.total) failed") }
      if let good = kind.succeeded {
        details.append("p50 \(LiveText.duration(good.p50Ns))")
        details.append("p99 \(LiveText.duration(good.p99Ns))")
      }
      if !details.isEmpty { text += " (\(details.joined(separator: ", ")))" }
      parts.append(text)
    }
    if let count = snapshot.invalidations, count.total > 0 {
      parts.append(
        "invalidations \(count.total) (\(LiveText.rate(count.new, intervalNs: snapshot.intervalNs))/s, p99 "
          + "\(LiveText.duration(snapshot.invalidationDurations?.p99Ns)))")
    }
    if snapshot.pages.total > 0 {
      parts.append("pages walked \(snapshot.pagesAreSampled ? "~" : "")\(snapshot.pages.total)")
    }
    for cause in snapshot.causes { parts.append("\(cause.cause) \(cause.failures.total)") }
    if snapshot.mended > 0 { parts.append("mended \(snapshot.mended)") }
    parts.append(LiveText.loss(snapshot) ?? "nothing lost")
    let time =
      LiveText.clock(snapshot.timeNs, offset: snapshot.clockOffsetNs).map { $0 + " " } ?? ""
    return
      "\(time)\(snapshot.operations) operations, \(snapshot.failed) failed: "
      + parts.joined(separator: "; ")
  }
}
