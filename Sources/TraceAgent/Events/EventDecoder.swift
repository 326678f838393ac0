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
    switch mrt_kind(rawValue: header.kind) {
    case MRT_KIND_OPERATION: return .operation(record.load())
    case MRT_KIND_UMEM: return .umem(record.load())
    case MRT_KIND_LAYER: return .layer(record.load())
    case MRT_KIND_RANGE: return .range(record.load())
    case MRT_KIND_WALK: return .walk(record.load())
    case MRT_KIND_LEVELS: return .levels(record.load())
    case MRT_KIND_FAULT: return .fault(record.load())
    case MRT_KIND_COUNTER: return .counter(record.load())
    case MRT_KIND_PAGES: return .pages(record.load())
    case MRT_KIND_ACCOUNT: return .account(record.load())
    case MRT_KIND_OWNER: return .owner(record.load())
    case MRT_KIND_OMITTED: return .omitted(record.load())
    case MRT_KIND_SHED: return .shed(record.load())
    case MRT_KIND_FOLIO: return .folio(record.load())
    case MRT_KIND_REFUSAL: return .refusal(record.load())
    case MRT_KIND_FORKED: return .forked(record.load())
    case MRT_KIND_ENTRIES:
      return .entries(
        EntriesRecord(
          header: header, address: record.load(at: 40), what: record.load(at: 48),
          search: record.load(at: 52), values: record.words(count, at: layout.fixedSize)))
    case MRT_KIND_MAPPING: return .mapping(mapping(record, header: header, pathSize: count))
    case MRT_KIND_STACK:
      return .stack(
        StackRecord(
          header: header, what: record.load(at: 40),
          addresses: record.words(count, at: layout.fixedSize)))
    case MRT_KIND_SYMBOL:
      return .symbol(
        SymbolRecord(
          header: header, address: record.load(at: 40), what: record.load(at: 48),
          name: CText.string(record.bytes(count, at: layout.fixedSize))))
    case MRT_KIND_CGROUP:
      return .cgroup(
        CgroupRecord(
          header: header, cgroup: record.load(at: 40),
          path: CText.string(record.bytes(count, at: layout.fixedSize))))
    case MRT_KIND_BACKING:
      return .backing(
        BackingRecord(
          header: header, facts: record.load(at: 40),
          path: record.bytes(count, at: layout.fixedSize)))
    default: return .unknown(header)
    }
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

  private static func mapping(
    _ record: RawSpan, header: mrt_header, pathSize: Int
  ) -> MappingRecord {
    var mapping = MappingRecord(
      header: header, address: record.load(at: 40), flags: record.load(at: 132))
    mapping.start = record.load(at: 48)
    mapping.end = record.load(at: 56)
    mapping.vmFlags = record.load(at: 64)
    mapping.pageOffset = record.load(at: 72)
    mapping.previousEnd = record.load(at: 80)
    mapping.nextStart = record.load(at: 88)
    mapping.inode = record.load(at: 96)
    mapping.fileSize = record.load(at: 104)
    mapping.filesystemMagic = record.load(at: 112)
    mapping.device = record.load(at: 120)
    mapping.inodeFlags = record.load(at: 124)
    mapping.mode = record.load(at: 128)
    mapping.filesystem = CText.string(record.bytes(16, at: 136))
    mapping.blockDevice = CText.string(record.bytes(32, at: 152))
    mapping.path = record.bytes(pathSize, at: 192)
    return mapping
  }
}

extension RawSpan {
  /// A value of fixed layout, wherever it stands; traps out of bounds.
  fileprivate func load<T: BitwiseCopyable>(at offset: Int = 0) -> T {
    unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
  }

  fileprivate func words(_ count: Int, at offset: Int) -> [UInt64] {
    (0..<count).map { load(at: offset + 8 * $0) }
  }

  fileprivate func bytes(_ count: Int, at offset: Int) -> [UInt8] {
    extracting(offset..<offset + count).withUnsafeBytes { Array($0) }
  }
}
