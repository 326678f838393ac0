// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Terminal

/// One line for each failure, to the journal: by its own protocol where it is there, so that
/// `journalctl MRTRACE_CAUSE=…` finds it; else to standard error.
package struct Journal: Sendable {
  package enum Priority: Int, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
  }

  private let socket: String
  /// Standard error goes to the journal, which wants priorities.
  private let isStream: Bool
  private var bucket: TokenBucket
  private var leftOut: [String: UInt64] = [:]
  /// No summary before this time.
  private var summaryNs: UInt64
  package private(set) var written: UInt64 = 0
  package private(set) var omitted: UInt64 = 0

  private static let minuteNs: UInt64 = 60_000_000_000

  package init(
    linesPerMinute: Int, now: UInt64, isStream: Bool,
    socket: String = "/run/systemd/journal/socket"
  ) {
    self.socket = socket
    self.isStream = isStream
    bucket = TokenBucket(capacity: linesPerMinute, per: Self.minuteNs, now: now)
    summaryNs = now
  }

  package mutating func change(linesPerMinute: Int, now: UInt64) {
    bucket = TokenBucket(capacity: linesPerMinute, per: Self.minuteNs, now: now)
  }

  /// One failure.
  package mutating func failed(_ diagnosis: Diagnosis, now: UInt64) {
    guard bucket.take(now: now) else {
      omitted &+= 1
      if leftOut.isEmpty { summaryNs = now &+ Self.minuteNs }
      if leftOut[diagnosis.cause] != nil || leftOut.count < 64 {
        leftOut[diagnosis.cause, default: 0] &+= 1
      } else {
        leftOut["other", default: 0] &+= 1
      }
      return
    }
    write(Self.line(diagnosis), Self.priority(diagnosis), fields: Self.fields(diagnosis))
  }

  /// A minute after the first line was left out: how many were.
  package mutating func summarize(now: UInt64, isLast: Bool = false) {
    guard !leftOut.isEmpty, isLast || now >= summaryNs else { return }
    let total = leftOut.values.reduce(0, &+)
    let causes = leftOut.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    leftOut = [:]
    write(
      "\(Quantity.count(Int(clamping: total), "more failure")) without a line here: \(causes)",
      .warning,
      fields: [("MRTRACE_OMITTED", "\(total)")])
  }

  /// Something about the monitor itself.
  package mutating func note(_ text: String, _ priority: Priority = .notice) {
    write(SafeText.clean(text), priority, fields: [])
  }

  private mutating func write(
    _ message: String, _ priority: Priority, fields: [(name: String, value: String)]
  ) {
    written &+= 1
    let all =
      [
        ("MESSAGE", message), ("PRIORITY", "\(priority.rawValue)"),
        ("SYSLOG_IDENTIFIER", "mrtrace"),
      ]
      + fields
    if LocalDatagram.send(Self.datagram(all), to: socket) { return }
    let line = (isStream ? "<\(priority.rawValue)>" : "mrtrace: ") + message + "\n"
    var text = line
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// A field a line; a value with a newline in it would need its length before it: there is none.
  static func datagram(_ fields: [(name: String, value: String)]) -> [UInt8] {
    var text = ""
    for field in fields { text += "\(field.name)=\(SafeText.clean(field.value))\n" }
    return Array(text.utf8)
  }

  private static func priority(_ diagnosis: Diagnosis) -> Priority {
    diagnosis.operation.recoveredBy == nil ? .warning : .info
  }

  /// "reg_mr by server (pid 4242) on rxe0: EFAULT, mapping-missing (proved): …"
  static func line(_ diagnosis: Diagnosis) -> String {
    let operation = diagnosis.operation
    let pid = operation.ownerPID ?? operation.runner.pid
    let comm = operation.ownerPID == nil ? operation.runner.comm : operation.ownerComm ?? "?"
    let device = operation.device.map { " on \($0)" } ?? ""
    let mended =
      operation.recoveredBy.map { "; mended by the program: \($0)" }
      ?? operation.followedBy.map { "; followed by \($0), which does not mend it" } ?? ""
    return SafeText.clean(
      "\(operation.kind.rawValue) by \(comm) (pid \(pid))\(device): \(diagnosis.errno), "
        + "\(diagnosis.cause) (\(diagnosis.confidence.rawValue)): \(diagnosis.summary)\(mended)")
  }

  private static func fields(_ diagnosis: Diagnosis) -> [(name: String, value: String)] {
    let operation = diagnosis.operation
    var fields: [(name: String, value: String)] = [
      ("MRTRACE_OPERATION", operation.kind.rawValue), ("MRTRACE_CAUSE", diagnosis.cause),
      ("MRTRACE_CONFIDENCE", diagnosis.confidence.rawValue),
      ("MRTRACE_ERRNO", diagnosis.errno.description),
      ("MRTRACE_PID", "\(operation.ownerPID ?? operation.runner.pid)"),
    ]
    if let function = diagnosis.chain.first?.function {
      fields.append(("MRTRACE_FUNCTION", function))
    }
    if let device = operation.device { fields.append(("MRTRACE_DEVICE", device)) }
    if let file = diagnosis.mapping?.file?.path { fields.append(("MRTRACE_FILE", file)) }
    return fields
  }
}
