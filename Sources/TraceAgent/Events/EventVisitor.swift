// SPDX-License-Identifier: Apache-2.0

import CEvents

extension Event {
  package var header: mrt_header { visit(HeaderReader()) }

  /// nil for a kind or a shape of a later version.
  package var kind: RecordKind? {
    if case .unknown = self { return nil }
    return RecordKind.of(visit(KindReader()))
  }

  /// "unknown" for a kind or a shape of a later version.
  package var kindName: String {
    if case .unknown = self { return "unknown" }
    return RecordKind.name(of: visit(KindReader()))
  }
}

/// What is done with a record of whichever kind.
protocol EventVisitor {
  associatedtype Result
  /// A record that is its C struct.
  func fixed(_ record: some BitwiseCopyable, _ header: mrt_header, _ kind: mrt_kind) -> Result
  func tailed(_ record: some TailedRecord, _ header: mrt_header, _ kind: mrt_kind) -> Result
}

private struct HeaderReader: EventVisitor {
  func fixed(_ record: some BitwiseCopyable, _ header: mrt_header, _ kind: mrt_kind) -> mrt_header {
    header
  }

  func tailed(_ record: some TailedRecord, _ header: mrt_header, _ kind: mrt_kind) -> mrt_header {
    header
  }
}

private struct KindReader: EventVisitor {
  func fixed(_ record: some BitwiseCopyable, _ header: mrt_header, _ kind: mrt_kind) -> UInt32 {
    kind.rawValue
  }

  func tailed(_ record: some TailedRecord, _ header: mrt_header, _ kind: mrt_kind) -> UInt32 {
    kind.rawValue
  }
}
