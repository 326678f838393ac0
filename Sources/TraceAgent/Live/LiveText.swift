// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// Numbers and names of a live view, in words.
enum LiveText {
  /// "12.3", "4096", "1.2 M": events per second.
  static func rate(_ new: UInt64, intervalNs: UInt64) -> String {
    guard intervalNs > 0 else { return "-" }
    let rate = Double(new) * 1e9 / Double(intervalNs)
    if rate >= 1e7 { return "\(UInt64(min(rate / 1e6, 1e12))) M" }
    if rate >= 1000 { return "\(UInt64(rate))" }
    let tenths = UInt64((rate * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  static func duration(_ ns: UInt64?) -> String {
    ns.map { Quantity.duration(nanoseconds: $0) } ?? "-"
  }

  /// "0:07", "1:02:03", "3 d 01:02:03".
  static func elapsed(_ ns: UInt64) -> String {
    let seconds = ns / 1_000_000_000
    func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let clock = "\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    if seconds < 3600 { return clock }
    if seconds < 86400 { return "\(seconds / 3600):\(clock)" }
    return "\(seconds / 86400) d \(two(seconds / 3600 % 24)):\(clock)"
  }

  static func ago(_ timeNs: UInt64, now: UInt64) -> String {
    guard timeNs < now else { return "now" }
    let seconds = (now - timeNs) / 1_000_000_000
    return switch seconds {
    case 0: "now"
    case ..<60: "\(seconds) s ago"
    case ..<3600: "\(seconds / 60) min ago"
    case ..<86400: "\(seconds / 3600) h ago"
    default: "\(seconds / 86400) d ago"
    }
  }

  /// "12:00:01", UTC; nil where the clock is not known.
  static func clock(_ monotonicNs: UInt64, offset: Int64) -> String? {
    guard let time = WallClock.nanoseconds(monotonic: monotonicNs, offset: offset),
      let text = WallClock.text(time)
    else { return nil }
    // "2026-11-22 22:49:49.000123 UTC"
    return String(text.dropFirst(11).prefix(8))
  }

  /// "server[412]"
  static func process(_ operation: Operation) -> String {
    let people = operation.people
    return switch (people.comm, people.pid) {
    case (let comm?, let pid?): "\(comm)[\(pid)]"
    case (nil, let pid?): "[\(pid)]"
    case (let comm?, nil): comm
    case (nil, nil): "?"
    }
  }

  /// "0x7f10c0003000 /mnt/pmem/pool", or what was asked for where no page is known.
  static func place(_ diagnosis: Diagnosis) -> String {
    let operation = diagnosis.operation
    let address = diagnosis.page?.address ?? operation.request?.start ?? operation.mr.address
    var text = address.map { Quantity.hex($0) } ?? "-"
    if let path = diagnosis.mapping?.file?.path, !path.isEmpty { text += " \(path)" }
    return text
  }

  /// One failure in one line: time, process, operation, errno, cause, page and file.
  static func line(_ failure: LiveSnapshot.Failure, offset: Int64) -> String {
    let diagnosis = failure.diagnosis
    let operation = diagnosis.operation
    var parts: [String] = []
    if let time = clock(operation.endNs, offset: offset) { parts.append(time) }
    parts += [process(operation), operation.kind.rawValue, diagnosis.errno.description]
    parts.append("\(diagnosis.cause) (\(diagnosis.confidence.rawValue))")
    if let mended = operation.recoveredBy { parts.append("mended by \(mended)") }
    if let next = operation.followedBy { parts.append("followed by \(next)") }
    parts.append(place(diagnosis))
    return parts.joined(separator: " ")
  }

  /// What is missing, in one sentence; nil where nothing is.
  static func loss(_ snapshot: LiveSnapshot) -> String? {
    guard snapshot.lost > 0 else { return nil }
    let parts = snapshot.losses.filter { $0.count > 0 }.sorted { $0.count > $1.count }.map {
      "\($0.function) \($0.what) \($0.count)"
    }
    return "LOST \(snapshot.lost): \(parts.joined(separator: ", "))"
  }
}
