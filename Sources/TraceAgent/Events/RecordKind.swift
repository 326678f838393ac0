// SPDX-License-Identifier: Apache-2.0

import CEvents

/// What bpf/events.h says of one kind of record. All of them are in ``all``, beside ``Event``.
///
/// The recording's CTF text, the sizes that a record may have, and the fields that an export prints
/// where no code gives them a meaning of their own follow from it.
package struct RecordKind: Sendable {
  package let number: UInt32
  package let name: String
  /// All that follows the header.
  package let fields: [RecordField]

  init(_ kind: mrt_kind, _ name: String, _ fields: [RecordField]) {
    number = kind.rawValue
    self.name = name
    self.fields = fields
  }

  /// nil for a kind this version does not know.
  package static func of(_ number: UInt32) -> RecordKind? {
    number < numbered.count ? numbered[Int(number)] : nil
  }

  /// "unknown" for a kind this version does not know.
  package static func name(of number: UInt32) -> String {
    number < names.count ? names[Int(number)] : "unknown"
  }

  private static let numbered: [RecordKind?] = {
    let last = all.map(\.number).max() ?? 0
    return (0...last).map { number in all.first { $0.number == number } }
  }()

  private static let names = numbered.map { $0?.name ?? "unknown" }

  /// Every field and where it begins, in bytes from the start of the record.
  package var places: [(field: RecordField, offset: Int)] {
    var offset = RecordLayout.headerSize
    return fields.map { field in
      defer { offset += field.size }
      return (field, offset)
    }
  }

  /// The size rules that follow from the fields.
  package var layout: RecordLayout {
    var layout = RecordLayout(fixedSize: RecordLayout.headerSize, tail: nil)
    for (field, offset) in places {
      layout.fixedSize = offset + field.size
      if case .counted(let max) = field.count {
        // Its count is the u32 before it.
        layout.tail = .init(countOffset: offset - 4, stride: field.width, max: max)
      }
    }
    return layout
  }

  /// A record of this kind with nothing in it.
  package var empty: Event {
    var header = mrt_header()
    header.kind = number
    header.size = UInt32(layout.fixedSize)
    var bytes = [UInt8](repeating: 0, count: layout.fixedSize)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: header, as: mrt_header.self) }
    return (try? EventDecoder.decode(bytes.span.bytes)) ?? .unknown(header)
  }
}
