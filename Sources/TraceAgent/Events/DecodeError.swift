// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a record.
package enum DecodeError: Error, Equatable, Sendable {
  /// Fewer bytes than a header has.
  case noHeader(bytes: Int)
  /// `size` is smaller than a header, or larger than what is there.
  case sizeOutOfBounds(size: Int, bytes: Int)
  /// `size` is smaller than the fixed part of this kind.
  case fixedPart(kind: UInt32, size: Int)
  /// The count of a tail is larger than its maximum.
  case count(kind: UInt32, count: UInt32)
  /// `size` is not that of the fixed part and `count` elements.
  case tail(kind: UInt32, size: Int, expected: Int)

  /// One sentence for a person.
  package var sentence: String {
    switch self {
    case .noHeader(let bytes): "A record of \(bytes) bytes has no room for a header."
    case .sizeOutOfBounds(let size, let bytes):
      "A record says it is \(size) bytes long where \(bytes) are left."
    case .fixedPart(let kind, let size): "A record of kind \(kind) is too short: \(size) bytes."
    case .count(let kind, let count):
      "A record of kind \(kind) counts \(count) elements, more than it may have."
    case .tail(let kind, let size, let expected):
      "A record of kind \(kind) is \(size) bytes long where its elements need \(expected)."
    }
  }
}
