// SPDX-License-Identifier: Apache-2.0

import CEvents

/// A record whose last member, a tail, is shorter than its C struct has it: a Swift struct with an
/// array. Offsets are the C compiler's own.
protocol TailedRecord {
  /// `record` is whole; its tail has `count` elements.
  init(_ record: RawSpan, header: mrt_header, count: Int)
  /// The record's bytes but for `kind` and `size`; a tail longer than its maximum is cut.
  var bytes: RecordBytes { get }
}

/// Bytes of one record, in the making.
struct RecordBytes {
  private var bytes: [UInt8]

  /// A record that is as long as its C struct.
  init(_ record: some BitwiseCopyable) {
    bytes = withUnsafeBytes(of: record) { Array($0) }
  }

  /// The part before the tail, with 0 in every field.
  init<Struct, Tail>(_ header: mrt_header, before tail: KeyPath<Struct, Tail>) {
    bytes = Array(repeating: 0, count: RawSpan.offset(of: tail))
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: header, as: mrt_header.self) }
  }

  mutating func set<Struct, Value: BitwiseCopyable>(
    _ field: KeyPath<Struct, Value>, _ value: Value
  ) {
    let offset = RawSpan.offset(of: field)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: Value.self) }
  }

  /// Fills a character array, cut so that a NUL ends it.
  mutating func set<Struct, Characters: BitwiseCopyable>(
    text: String, _ field: KeyPath<Struct, Characters>
  ) {
    let offset = RawSpan.offset(of: field)
    let text = text.utf8.prefix(MemoryLayout<Characters>.size - 1)
    bytes.replaceSubrange(offset..<offset + text.count, with: text)
  }

  mutating func append(words: some Sequence<UInt64>) {
    for word in words { withUnsafeBytes(of: word) { bytes += $0 } }
  }

  mutating func append(_ text: some Sequence<UInt8>) { bytes += text }

  consuming func finished(kind: mrt_kind) -> [UInt8] {
    set(\mrt_header.kind, kind.rawValue)
    set(\mrt_header.size, UInt32(bytes.count))
    return bytes
  }
}

extension RawSpan {
  /// Where a C struct has a field. The compiler makes a constant of it.
  @inline(__always)
  static func offset<Struct, Value>(of field: KeyPath<Struct, Value>) -> Int {
    guard let offset = MemoryLayout<Struct>.offset(of: field) else {
      preconditionFailure("every member of a C struct has an offset")
    }
    return offset
  }

  /// A value of fixed layout, wherever it stands; traps out of bounds.
  @inline(__always)
  func load<Value: BitwiseCopyable>(at offset: Int = 0) -> Value {
    unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  /// A field of a record that may end before its C struct does; traps out of bounds.
  @inline(__always)
  func load<Struct, Value: BitwiseCopyable>(_ field: KeyPath<Struct, Value>) -> Value {
    load(at: Self.offset(of: field))
  }

  @inline(__always)
  func words<Struct, Tail>(_ count: Int, at tail: KeyPath<Struct, Tail>) -> [UInt64] {
    let offset = Self.offset(of: tail)
    return (0..<count).map { load(at: offset + 8 * $0) }
  }

  @inline(__always)
  func bytes<Struct, Tail>(_ count: Int, at tail: KeyPath<Struct, Tail>) -> [UInt8] {
    let offset = Self.offset(of: tail)
    return extracting(offset..<offset + count).withUnsafeBytes { Array($0) }
  }
}
