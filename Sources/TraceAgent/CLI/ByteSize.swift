// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A number of bytes as a user writes it: 65536, 512K, 64M, 2G.
struct ByteSize: ExpressibleByArgument, Equatable {
  let bytes: Int

  init?(argument: String) {
    var digits = argument[...]
    var shift = 0
    if let unit = digits.last, let place = "KMG".firstIndex(of: Character(unit.uppercased())) {
      shift = 10 * ("KMG".distance(from: "KMG".startIndex, to: place) + 1)
      digits.removeLast()
    }
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
      number <= Int.max >> shift
    else { return nil }
    bytes = number << shift
  }

  /// Sizes of a part and of the flight recorder: what a few packets need, and what a machine may
  /// have.
  var isUsable: Bool { (256 << 10...1 << 40).contains(bytes) }
}
