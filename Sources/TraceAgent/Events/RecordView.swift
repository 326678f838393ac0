// SPDX-License-Identifier: Apache-2.0

import CEvents

/// One record where it stands in somebody's buffer: its header read, its size checked, the rest not
/// looked at yet.
///
/// Good only until its source goes on to the next record: keep ``event`` or a copy of ``bytes``.
package struct RecordView {
  package let header: mrt_header
  /// The whole record.
  package let bytes: UnsafeRawBufferPointer
  /// The kind is one of this version, and the record as long as that kind needs.
  package let isKnown: Bool

  /// nil for bytes that are not a record; where `isNewer`, a record of a known kind whose size does
  /// not fit is one of a shape unknown here, and so is one of an unknown kind.
  package init?(_ bytes: UnsafeRawBufferPointer, header: mrt_header, isNewer: Bool) {
    guard header.size <= bytes.count else { return nil }
    let record = UnsafeRawBufferPointer(rebasing: bytes[..<Int(header.size)])
    isKnown = RecordLayout.fits(RawSpan(_unsafeBytes: record), kind: header.kind)
    guard isKnown || isNewer else { return nil }
    self.header = header
    self.bytes = record
  }

  /// The record, decoded: ``Event/unknown(_:)`` where it is not known.
  package var event: Event {
    guard isKnown, let event = try? EventDecoder.decode(bytes) else { return .unknown(header) }
    return event
  }

  /// What ends an operation; nil for any other record.
  package var operation: mrt_operation? { load(MRT_KIND_OPERATION) }
  package var layer: mrt_layer? { load(MRT_KIND_LAYER) }
  package var counter: mrt_counter? { load(MRT_KIND_COUNTER) }
  package var pages: mrt_pages? { load(MRT_KIND_PAGES) }
  package var account: mrt_account? { load(MRT_KIND_ACCOUNT) }
  package var omitted: mrt_omitted? { load(MRT_KIND_OMITTED) }
  package var shed: mrt_shed? { load(MRT_KIND_SHED) }
  package var cgroup: CgroupRecord? {
    guard header.kind == MRT_KIND_CGROUP.rawValue, case .cgroup(let record) = event else {
      return nil
    }
    return record
  }
  package var symbol: SymbolRecord? {
    guard header.kind == MRT_KIND_SYMBOL.rawValue, case .symbol(let record) = event else {
      return nil
    }
    return record
  }

  private func load<T: BitwiseCopyable>(_ kind: mrt_kind) -> T? {
    guard isKnown, header.kind == kind.rawValue, bytes.count >= MemoryLayout<T>.size else {
      return nil
    }
    return bytes.loadUnaligned(as: T.self)
  }
}
