// SPDX-License-Identifier: Apache-2.0

import Model

/// Numbers of a record's field, and the names that readers see for them.
package struct RecordEnumeration: Sendable {
  package typealias Value = (name: String, number: UInt32)

  package let name: String
  package let values: [Value]
  /// The numbers are bits, of which a field has any.
  package let isFlags: Bool

  init(_ name: String, _ values: [Value]) {
    self.name = name
    self.values = values
    isFlags = false
  }

  init(flags name: String, _ bits: [(bit: Int, name: String)]) {
    self.name = name
    values = bits.map { ($0.name, 1 << UInt32($0.bit)) }
    isFlags = true
  }

  /// nil for a number of a later version.
  package func known(_ number: UInt32) -> String? {
    for value in values where value.number == number { return value.name }
    return nil
  }

  /// "7" for a number of a later version.
  package func name(of number: UInt32) -> String { known(number) ?? "\(number)" }

  /// The names of the bits set in `bits`; what has none as one hexadecimal number.
  package func names(of bits: UInt32) -> [String] {
    FlagNames.of(UInt64(bits), in: values.map { ($0.number.trailingZeroBitCount, $0.name) })
  }
}
