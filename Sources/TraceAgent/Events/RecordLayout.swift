// SPDX-License-Identifier: Apache-2.0

import CEvents

/// The size rules of one kind of record, as ``RecordKind`` has its fields.
package struct RecordLayout: Sendable {
  /// A variable tail: `count` elements after the fixed part.
  package struct Tail: Sendable {
    package var countOffset: Int
    package var stride: Int
    package var max: Int
  }

  /// Bytes before the tail.
  package var fixedSize: Int
  package var tail: Tail?

  /// Bytes of a header, and the least a record can have.
  package static let headerSize = MemoryLayout<mrt_header>.size

  /// The rules of `kind`; nil for a kind this version does not know.
  package static func of(kind: UInt32) -> RecordLayout? {
    kind < layouts.count ? layouts[Int(kind)] : nil
  }

  /// By the number of the kind.
  private static let layouts: [RecordLayout?] = {
    let last = RecordKind.all.map(\.number).max() ?? 0
    return (0...last).map { RecordKind.of($0)?.layout }
  }()

  /// The record at the start of what the kernel has reserved for it, which may be longer; nil for
  /// bytes that hold no whole record.
  package static func record(in reserved: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard reserved.count >= headerSize else { return nil }
    let size = Int(reserved.loadUnaligned(as: mrt_header.self).size)
    guard size >= headerSize, size <= reserved.count else { return nil }
    return UnsafeRawBufferPointer(rebasing: reserved[..<size])
  }

  /// Whether a whole record is exactly as long as its fields, as the recording's CTF description
  /// needs it: no byte of padding, no field of a later version.
  package static func isExact(_ record: RawSpan) -> Bool {
    record.withUnsafeBytes { exactRecord(in: $0)?.count == record.byteCount }
  }

  /// The record at the start of `bytes`, where it is one as ``isExact(_:)`` wants it.
  @inline(__always)
  package static func exactRecord(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard bytes.count >= headerSize, let base = bytes.baseAddress else { return nil }
    let size = Int(base.loadUnaligned(as: mrt_header.self).size)
    let kind = base.loadUnaligned(as: mrt_header.self).kind
    guard size <= bytes.count, let layout = of(kind: kind), size >= layout.fixedSize else {
      return nil
    }
    var exact = layout.fixedSize
    if let tail = layout.tail {
      let count = base.loadUnaligned(fromByteOffset: tail.countOffset, as: UInt32.self)
      guard count <= tail.max else { return nil }
      exact += Int(count) * tail.stride
    }
    return size == exact ? UnsafeRawBufferPointer(start: base, count: size) : nil
  }

  /// Whether a whole record is of a known kind and as long as that kind needs, or longer where the
  /// kind has no tail.
  static func fits(_ record: RawSpan, kind: UInt32) -> Bool {
    guard let layout = of(kind: kind), record.byteCount >= layout.fixedSize else { return false }
    guard let tail = layout.tail else { return true }
    let count = record.unsafeLoadUnaligned(fromByteOffset: tail.countOffset, as: UInt32.self)
    return count <= tail.max && record.byteCount == layout.fixedSize + Int(count) * tail.stride
  }

  /// The number of elements in the tail of `record`, all of which are there; 0 for a kind without
  /// tail.
  ///
  /// `record` is a whole record, `size` bytes long.
  func tailCount(of record: RawSpan, kind: UInt32) throws(DecodeError) -> Int {
    guard record.byteCount >= fixedSize else {
      throw .fixedPart(kind: kind, size: record.byteCount)
    }
    guard let tail else { return 0 }
    let count = record.unsafeLoadUnaligned(fromByteOffset: tail.countOffset, as: UInt32.self)
    guard count <= tail.max else { throw .count(kind: kind, count: count) }
    let expected = fixedSize + Int(count) * tail.stride
    guard record.byteCount == expected else {
      throw .tail(kind: kind, size: record.byteCount, expected: expected)
    }
    return Int(count)
  }
}
