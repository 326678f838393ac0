// SPDX-License-Identifier: Apache-2.0

import CEvents

/// Record bytes, from the ring buffer or from a recording, to ``Event``. Nothing is loaded before
/// its bounds are checked.
package enum EventDecoder {
  /// Decodes the record at the start of `bytes`; bytes after its `size` are ignored.
  ///
  /// A record of fixed size may be longer than this version knows: what a later minor format
  /// version added is skipped. Records of fixed size are decoded without allocation.
  package static func decode(_ bytes: RawSpan) throws(DecodeError) -> Event {
    let header = try header(of: bytes)
    let record = bytes.extracting(0..<Int(header.size))
    guard let layout = RecordLayout.of(kind: header.kind) else { return .unknown(header) }
    let count = try layout.tailCount(of: record, kind: header.kind)
    return Event(record, header: header, count: count)
  }

  /// As ``decode(_:)-(RawSpan)``, for bytes that C hands over.
  package static func decode(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) -> Event {
    try decode(RawSpan(_unsafeBytes: bytes))
  }

  /// The header of the record at the start of `bytes`, which hold all of that record.
  package static func header(of bytes: RawSpan) throws(DecodeError) -> mrt_header {
    guard bytes.byteCount >= RecordLayout.headerSize else {
      throw .noHeader(bytes: bytes.byteCount)
    }
    let header: mrt_header = bytes.load()
    guard header.size >= RecordLayout.headerSize, header.size <= bytes.byteCount else {
      throw .sizeOutOfBounds(size: Int(header.size), bytes: bytes.byteCount)
    }
    return header
  }
}
