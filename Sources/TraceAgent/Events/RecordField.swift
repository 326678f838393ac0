// SPDX-License-Identifier: Apache-2.0

/// One field of a record: a member of its C struct, in the order of bpf/events.h.
package struct RecordField: Sendable {
  /// What its bytes are.
  package enum Meaning: Sendable {
    case decimal
    case hexadecimal
    /// UTF-8, ended by NUL or by its length.
    case text
    /// 0 or more, or -errno.
    case result
    /// One of these numbers.
    case named(RecordEnumeration)
    /// Any of these bits.
    case flags(RecordEnumeration)
    /// Padding: 0.
    case reserved
  }

  package enum Count: Equatable, Sendable {
    case one
    case times(Int)
    /// A tail: as many elements as the field before it says, and so many at most.
    case counted(max: Int)
  }

  /// Its name in events.h.
  package let name: StaticString
  /// Its name in exports.
  package let key: StaticString
  package let meaning: Meaning
  /// Bytes of one element.
  package let width: Int
  package let isSigned: Bool
  package let count: Count

  /// Bytes of all elements; of a tail none.
  package var size: Int {
    switch count {
    case .one: width
    case .times(let count): width * count
    case .counted: 0
    }
  }

  private init(
    _ name: StaticString, key: StaticString? = nil, _ meaning: Meaning, width: Int,
    isSigned: Bool = false, count: Count = .one
  ) {
    self.name = name
    self.key = key ?? name
    self.meaning = meaning
    self.width = width
    self.isSigned = isSigned
    self.count = count
  }

  static func u64(_ name: StaticString, key: StaticString? = nil) -> RecordField {
    RecordField(name, key: key, .decimal, width: 8)
  }
  static func s64(_ name: StaticString) -> RecordField {
    RecordField(name, .decimal, width: 8, isSigned: true)
  }
  static func u32(_ name: StaticString, _ count: Count = .one) -> RecordField {
    RecordField(name, .decimal, width: 4, count: count)
  }
  static func s32(_ name: StaticString) -> RecordField {
    RecordField(name, .decimal, width: 4, isSigned: true)
  }
  static func u64x(_ name: StaticString, _ count: Count = .one) -> RecordField {
    RecordField(name, .hexadecimal, width: 8, count: count)
  }
  static func u32x(_ name: StaticString) -> RecordField {
    RecordField(name, .hexadecimal, width: 4)
  }
  static func text(_ name: StaticString, _ count: Count) -> RecordField {
    RecordField(name, .text, width: 1, count: count)
  }
  static func result(_ name: StaticString) -> RecordField {
    RecordField(name, .result, width: 8, isSigned: true)
  }
  static func named(_ name: StaticString, _ names: RecordEnumeration) -> RecordField {
    RecordField(name, .named(names), width: 4)
  }
  static func flags(_ name: StaticString, _ names: RecordEnumeration) -> RecordField {
    RecordField(name, .flags(names), width: 4)
  }
  static func reserved(_ name: StaticString = "reserved") -> RecordField {
    RecordField(name, .reserved, width: 4)
  }
}
