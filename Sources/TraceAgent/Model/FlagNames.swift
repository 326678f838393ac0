// SPDX-License-Identifier: Apache-2.0

/// Names of the bits of a kernel flag word.
package enum FlagNames {
  /// The names of the bits set in `value`, in the table's order; what is left over as one "0x…".
  package static func of(_ value: UInt64, in table: [(bit: Int, name: String)]) -> [String] {
    var rest = value
    var names: [String] = []
    for entry in table where value >> UInt64(entry.bit) & 1 != 0 {
      names.append(entry.name)
      rest &= ~(1 << UInt64(entry.bit))
    }
    if rest != 0 { names.append("0x" + String(rest, radix: 16)) }
    return names
  }
}
