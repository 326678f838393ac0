// SPDX-License-Identifier: Apache-2.0

import Model

/// How many operations there were of each kind.
package struct OperationCounts: Equatable, Sendable {
  private var counts: [UInt64] = Array(repeating: 0, count: Operation.Kind.allCases.count)

  package init() {}

  package internal(set) subscript(kind: Operation.Kind) -> UInt64 {
    get { counts[kind.place] }
    set { counts[kind.place] = newValue }
  }
}
