// SPDX-License-Identifier: Apache-2.0

/// Takes the fields of a record in, one after the other.
///
/// There are two: one writes JSON, the other writes down the shape, from which the published schema
/// is made. So the schema cannot say anything but what is written.
protocol FieldSink {
  /// `value` is nil where the field is left out.
  mutating func field(
    _ key: StaticString, _ shape: @autoclosure () -> Shape, isRequired: Bool, _ value: FieldValue?)
  mutating func object(_ key: StaticString, _ body: (inout Self) -> Void)
  /// An array of objects. `sample` stands for an element where the shape is written down.
  mutating func objects<Element>(
    _ key: StaticString, _ elements: [Element], sample: Element,
    _ body: (Element, inout Self) -> Void)
}

enum FieldValue {
  case text(String)
  case number(UInt64)
  case signed(Int64)
  case hex(UInt64)
  case flag(Bool)
  case texts([String])
  case hexes([UInt64])
  case numbers([UInt64])
  case counts([(key: String, count: UInt64)])
}

extension FieldSink {
  mutating func constant(_ key: StaticString, _ value: String) {
    field(key, .constant(value), isRequired: true, .text(value))
  }
  mutating func text(_ key: StaticString, _ value: String) {
    field(key, .text, isRequired: true, .text(value))
  }
  mutating func text(_ key: StaticString, _ value: String?) {
    field(key, .text, isRequired: false, value.map(FieldValue.text))
  }
  mutating func number(_ key: StaticString, _ value: some UnsignedInteger) {
    field(key, .natural, isRequired: true, .number(UInt64(value)))
  }
  mutating func number(_ key: StaticString, _ value: (some UnsignedInteger)?) {
    field(key, .natural, isRequired: false, value.map { .number(UInt64($0)) })
  }
  mutating func signed(_ key: StaticString, _ value: Int64) {
    field(key, .integer, isRequired: true, .signed(value))
  }
  mutating func signed(_ key: StaticString, _ value: Int64?) {
    field(key, .integer, isRequired: false, value.map(FieldValue.signed))
  }
  mutating func hex(_ key: StaticString, _ value: some UnsignedInteger) {
    field(key, .hex, isRequired: true, .hex(UInt64(value)))
  }
  mutating func hex(_ key: StaticString, _ value: (some UnsignedInteger)?) {
    field(key, .hex, isRequired: false, value.map { .hex(UInt64($0)) })
  }
  mutating func flag(_ key: StaticString, _ value: Bool) {
    field(key, .flag, isRequired: true, .flag(value))
  }
  mutating func flag(_ key: StaticString, _ value: Bool?) {
    field(key, .flag, isRequired: false, value.map(FieldValue.flag))
  }
  mutating func texts(_ key: StaticString, _ value: [String]) {
    field(key, .list(.text), isRequired: true, .texts(value))
  }
  mutating func texts(_ key: StaticString, _ value: [String]?) {
    field(key, .list(.text), isRequired: false, value.map(FieldValue.texts))
  }
  mutating func hexes(_ key: StaticString, _ value: [UInt64]) {
    field(key, .list(.hex), isRequired: true, .hexes(value))
  }
  mutating func numbers(_ key: StaticString, _ value: [UInt64]) {
    field(key, .list(.natural), isRequired: true, .numbers(value))
  }
  mutating func counts(_ key: StaticString, _ value: [(key: String, count: UInt64)]) {
    field(key, .counts, isRequired: true, .counts(value))
  }
}
