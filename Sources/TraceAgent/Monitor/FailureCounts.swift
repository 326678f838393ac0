// SPDX-License-Identifier: Apache-2.0

import Model

/// Failures by what a query asks for, in bounded memory.
package struct FailureCounts: Sendable {
  package struct Key: Hashable, Comparable, Sendable {
    package var operation: String
    package var errno: String
    package var cause: String
    package var device: String

    private var sortKey: String { "\(operation)\u{0}\(cause)\u{0}\(errno)\u{0}\(device)" }
    package static func < (one: Key, other: Key) -> Bool { one.sortKey < other.sortKey }
  }

  private let limit: Int
  package private(set) var counts: [Key: UInt64] = [:]
  /// Failures that the program itself mended at once, by operation: among the others too.
  package private(set) var mended: [Operation.Kind: UInt64] = [:]

  package init(limit: Int = 512) { self.limit = max(limit, 16) }

  package mutating func add(_ diagnosis: Diagnosis) {
    let operation = diagnosis.operation.kind.rawValue
    var key = Key(
      operation: operation, errno: diagnosis.errno.description, cause: diagnosis.cause,
      device: diagnosis.operation.device ?? "")
    if counts[key] == nil, counts.count >= limit {
      key = Key(operation: operation, errno: "other", cause: "other", device: "other")
    }
    counts[key, default: 0] &+= 1
    if diagnosis.operation.recoveredBy != nil {
      mended[diagnosis.operation.kind, default: 0] &+= 1
    }
  }
}
