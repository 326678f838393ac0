// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model

/// One operation as a row: the header of the CSV export, and its values. Columns may be added at the
/// end, never renamed or moved.
enum OperationColumns {
  enum Value {
    case text(String)
    case number(UInt64)
    case signed(Int64)
    case hex(UInt64)
    case flag(Bool)
    /// Names, in one cell.
    case names([String])
  }

  private typealias Column = (name: String, value: @Sendable (ExportedOperation) -> Value?)

  static var names: [String] { table.map(\.name) }

  static func values(of operation: ExportedOperation) -> [Value?] {
    table.map { $0.value(operation) }
  }

  private static let table: [Column] = [
    ("time_ns", { $0.timeNs.map(Value.signed) }),
    ("end_monotonic_ns", { .number($0.operation.endNs) }),
    ("duration_ns", { $0.durationNs.map(Value.number) }),
    ("operation", { .text($0.operation.kind.rawValue) }),
    ("pid", { $0.operation.ownerPID.map { .signed(Int64($0)) } }),
    ("comm", { $0.operation.ownerComm.map(Value.text) }),
    ("tid", { .signed(Int64($0.operation.runner.tid)) }),
    ("runner_pid", { .signed(Int64($0.operation.runner.pid)) }),
    ("runner_comm", { .text($0.operation.runner.comm) }),
    ("device", { $0.operation.device.map(Value.text) }),
    ("result", { .signed($0.operation.result) }),
    ("errno", { $0.errno.map(Value.text) }),
    ("function", { $0.function.map(Value.text) }),
    ("address", { $0.address.map(Value.hex) }),
    ("cause", { $0.diagnosis.map { .text($0.cause) } }),
    ("confidence", { $0.diagnosis.map { .text($0.confidence.rawValue) } }),
    ("delivered", { ($0.diagnosis?.delivered).map { .text($0.rawValue) } }),
    ("recovered_by", { $0.operation.recoveredBy.map(Value.text) }),
    ("lost", { .signed(Int64($0.operation.lost)) }),
    ("mr_address", { $0.operation.mr.address.map(Value.hex) }),
    ("mr_length", { $0.operation.mr.length.map(Value.number) }),
    ("mr_iova", { $0.operation.mr.iova.map(Value.hex) }),
    ("mr_access", { $0.operation.mr.access.map { .names(AccessFlags.names($0)) } }),
    ("request_address", { $0.operation.request.map { .hex($0.start) } }),
    ("request_length", { $0.operation.request.map { .number($0.length) } }),
    ("lkey", { $0.operation.lkey.map { .hex(UInt64($0)) } }),
    ("page_address", { $0.diagnosis?.page.map { .hex($0.address) } }),
    ("page_level", { $0.diagnosis?.page?.level.map(Value.text) }),
    ("page_raw", { $0.diagnosis?.page?.raw.map(Value.hex) }),
    (
      "page_flags",
      { page in
        page.diagnosis?.page.flatMap { $0.raw == nil ? nil : .names($0.flags) }
      }
    ),
    ("mapping_start", { $0.mapping.map { .hex($0.start) } }),
    ("mapping_end", { $0.mapping.map { .hex($0.end) } }),
    (
      "mapping_flags",
      { exported in
        exported.mapping.map {
          .names(VMAFlags.names($0.vmFlags, of: exported.diagnosis?.kernel))
        }
      }
    ),
    ("file", { $0.mapping?.file.map { .text($0.path) } }),
    ("file_offset", { $0.diagnosis?.fileOffset.map(Value.number) }),
    ("filesystem", { $0.mapping?.file.map { .text($0.filesystem) } }),
    ("fsdax", { $0.mapping.map { .flag($0.isFSDAX) } }),
    ("summary", { $0.diagnosis.map { .text($0.summary) } }),
    ("host", { .text($0.subject.environment.hostname) }),
    ("recording", { .text($0.subject.name) }),
    ("incomplete", { $0.incomplete.isEmpty ? nil : .names($0.incomplete) }),
    ("container_pid", { $0.operation.owner?.containerPID.map { .signed(Int64($0)) } }),
    ("cgroup", { $0.operation.owner?.cgroupPath.map(Value.text) }),
    ("repeats_after_ns", { $0.operation.repeatsAfterNs.map(Value.number) }),
    ("followed_by", { $0.operation.followedBy.map(Value.text) }),
    ("kind_seen", { $0.operation.kindSeen ? nil : .flag(false) }),
  ]
}

extension ExportedOperation {
  /// The mapping of the failing page; nil in a gap.
  var mapping: MappingEvidence? {
    guard let mapping = diagnosis?.mapping, mapping.found else { return nil }
    return mapping
  }
}
