// SPDX-License-Identifier: Apache-2.0

import CEvents

extension Event {
  /// The record's bytes as events.h lays them out; `kind` and `size` of its header are set here.
  ///
  /// Tails longer than their maximum are cut. Of an unknown kind only the header is known, and
  /// encoded.
  package func encoded() -> [UInt8] { visit(Encoder()) }
}

private struct Encoder: EventVisitor {
  func fixed(_ record: some BitwiseCopyable, _ header: mrt_header, _ kind: mrt_kind) -> [UInt8] {
    RecordBytes(record).finished(kind: kind)
  }

  func tailed(_ record: some TailedRecord, _ header: mrt_header, _ kind: mrt_kind) -> [UInt8] {
    record.bytes.finished(kind: kind)
  }
}
