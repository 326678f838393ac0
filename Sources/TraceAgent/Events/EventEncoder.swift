// SPDX-License-Identifier: Apache-2.0

import CEvents

extension Event {
  /// The record's bytes as events.h lays them out; `kind` and `size` of its header are set here.
  ///
  /// Tails longer than their maximum are cut. Of an unknown kind only the header is known, and
  /// encoded.
  package func encoded() -> [UInt8] {
    switch self {
    case .operation(let record): Self.bytes(of: record, kind: MRT_KIND_OPERATION)
    case .umem(let record): Self.bytes(of: record, kind: MRT_KIND_UMEM)
    case .layer(let record): Self.bytes(of: record, kind: MRT_KIND_LAYER)
    case .range(let record): Self.bytes(of: record, kind: MRT_KIND_RANGE)
    case .walk(let record): Self.bytes(of: record, kind: MRT_KIND_WALK)
    case .levels(let record): Self.bytes(of: record, kind: MRT_KIND_LEVELS)
    case .fault(let record): Self.bytes(of: record, kind: MRT_KIND_FAULT)
    case .counter(let record): Self.bytes(of: record, kind: MRT_KIND_COUNTER)
    case .pages(let record): Self.bytes(of: record, kind: MRT_KIND_PAGES)
    case .account(let record): Self.bytes(of: record, kind: MRT_KIND_ACCOUNT)
    case .owner(let record): Self.bytes(of: record, kind: MRT_KIND_OWNER)
    case .omitted(let record): Self.bytes(of: record, kind: MRT_KIND_OMITTED)
    case .shed(let record): Self.bytes(of: record, kind: MRT_KIND_SHED)
    case .folio(let record): Self.bytes(of: record, kind: MRT_KIND_FOLIO)
    case .refusal(let record): Self.bytes(of: record, kind: MRT_KIND_REFUSAL)
    case .forked(let record): Self.bytes(of: record, kind: MRT_KIND_FORKED)
    case .cgroup(let record): record.encoded()
    case .backing(let record): record.encoded()
    case .entries(let record): record.encoded()
    case .mapping(let record): record.encoded()
    case .stack(let record): record.encoded()
    case .symbol(let record): record.encoded()
    case .unknown(let header): Self.bytes(of: header, kind: mrt_kind(rawValue: header.kind))
    }
  }

  private static func bytes<T: BitwiseCopyable>(of record: T, kind: mrt_kind) -> [UInt8] {
    var writer = RecordBytes()
    writer.put(record)
    return writer.finished(kind: kind)
  }
}

extension EntriesRecord {
  fileprivate func encoded() -> [UInt8] {
    let values = values.prefix(Int(MRT_ENTRIES_MAX))
    var writer = RecordBytes()
    writer.put(header)
    writer.put(address)
    writer.put(what)
    writer.put(search)
    writer.put(UInt32(0))
    writer.put(UInt32(values.count))
    for value in values { writer.put(value) }
    return writer.finished(kind: MRT_KIND_ENTRIES)
  }
}

extension StackRecord {
  fileprivate func encoded() -> [UInt8] {
    let addresses = addresses.prefix(Int(MRT_STACK_MAX))
    var writer = RecordBytes()
    writer.put(header)
    writer.put(what)
    writer.put(UInt32(addresses.count))
    for address in addresses { writer.put(address) }
    return writer.finished(kind: MRT_KIND_STACK)
  }
}

extension SymbolRecord {
  fileprivate func encoded() -> [UInt8] {
    let name = name.utf8.prefix(Int(MRT_NAME_MAX))
    var writer = RecordBytes()
    writer.put(header)
    writer.put(address)
    writer.put(what)
    writer.put(UInt32(name.count))
    writer.bytes += name
    return writer.finished(kind: MRT_KIND_SYMBOL)
  }
}

extension CgroupRecord {
  fileprivate func encoded() -> [UInt8] {
    let path = path.utf8.prefix(Int(MRT_PATH_MAX))
    var writer = RecordBytes()
    writer.put(header)
    writer.put(cgroup)
    writer.put(UInt32(0))
    writer.put(UInt32(path.count))
    writer.bytes += path
    return writer.finished(kind: MRT_KIND_CGROUP)
  }
}

extension MappingRecord {
  fileprivate func encoded() -> [UInt8] {
    let path = path.prefix(Int(MRT_PATH_MAX))
    var writer = RecordBytes()
    writer.put(header)
    for word in [
      address, start, end, vmFlags, pageOffset, previousEnd, nextStart, inode, fileSize,
      filesystemMagic,
    ] { writer.put(word) }
    for word in [device, inodeFlags, mode, flags] { writer.put(word) }
    writer.put(filesystem, cells: 16)
    writer.put(blockDevice, cells: 32)
    writer.put(UInt32(0))
    writer.put(UInt32(path.count))
    writer.bytes += path
    return writer.finished(kind: MRT_KIND_MAPPING)
  }
}

extension BackingRecord {
  fileprivate func encoded() -> [UInt8] {
    let path = path.prefix(Int(MRT_PATH_MAX))
    var writer = RecordBytes()
    writer.put(header)
    writer.put(facts)
    writer.put(UInt32(0))
    writer.put(UInt32(path.count))
    writer.bytes += path
    return writer.finished(kind: MRT_KIND_BACKING)
  }
}

/// Bytes of one record, in the making.
private struct RecordBytes {
  var bytes: [UInt8] = []

  mutating func put<T: BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value) { bytes += $0 }
  }

  /// A character array of `cells` bytes, ended by NUL.
  mutating func put(_ text: String, cells: Int) {
    let text = text.utf8.prefix(cells - 1)
    bytes += text
    bytes += repeatElement(0, count: cells - text.count)
  }

  consuming func finished(kind: mrt_kind) -> [UInt8] {
    var bytes = bytes
    bytes.withUnsafeMutableBytes { record in
      record.storeBytes(of: kind.rawValue, toByteOffset: 8, as: UInt32.self)
      record.storeBytes(of: UInt32(record.count), toByteOffset: 12, as: UInt32.self)
    }
    return bytes
  }
}
