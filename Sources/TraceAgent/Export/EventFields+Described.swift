// SPDX-License-Identifier: Apache-2.0

import Events
import Model

extension EventFields {
  /// All fields of a record as its ``RecordKind`` has them: names of numbers first, which say what
  /// the record is of, then the others in their order.
  func described(_ event: Event, _ sink: inout some FieldSink) {
    guard let kind = event.kind else { return }
    let record = event.encoded()
    let places = kind.places
    for (field, offset) in places {
      if case .named(let names) = field.meaning {
        let number: UInt32 = Self.load(record, at: offset)
        sink.text(field.key, names.name(of: number))
      }
    }
    let countOffset = kind.layout.tail?.countOffset
    for (field, offset) in places where offset != countOffset {
      write(field, of: record, at: offset, to: &sink)
    }
  }

  private func write(
    _ field: RecordField, of record: [UInt8], at offset: Int, to sink: inout some FieldSink
  ) {
    let count =
      switch field.count {
      case .one: 1
      case .times(let count): count
      case .counted: (record.count - offset) / field.width
      }
    func numbers() -> [UInt64] {
      (0..<count).map { Self.number(record, at: offset + $0 * field.width, width: field.width) }
    }
    switch (field.meaning, field.count) {
    case (.named, _), (.reserved, _): break
    case (.text, _):
      sink.text(field.key, CText.string(record[offset..<offset + count]))
    case (.result, _):
      let result: Int64 = Self.load(record, at: offset)
      sink.signed(field.key, result)
      sink.text("errno", Errno(result: result)?.description)
    case (.flags(let names), _):
      sink.texts(field.key, names.names(of: Self.load(record, at: offset)))
    case (.decimal, .one) where field.isSigned:
      let number = numbers()[0]
      sink.signed(
        field.key,
        field.width == 4 ? Int64(Int32(truncatingIfNeeded: number)) : Int64(bitPattern: number))
    case (.decimal, .one): sink.number(field.key, numbers()[0])
    case (.decimal, _): sink.numbers(field.key, numbers())
    case (.hexadecimal, .one): sink.hex(field.key, numbers()[0])
    case (.hexadecimal, _): sink.hexes(field.key, numbers())
    }
  }

  private static func number(_ record: [UInt8], at offset: Int, width: Int) -> UInt64 {
    width == 8 ? load(record, at: offset) : UInt64(load(record, at: offset) as UInt32)
  }

  private static func load<Value: BitwiseCopyable>(_ record: [UInt8], at offset: Int) -> Value {
    record.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
  }
}
