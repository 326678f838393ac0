// SPDX-License-Identifier: Apache-2.0

/// How long operations took, by what they were and whether they failed.
package struct OperationLatencies: Equatable, Sendable {
  package struct Key: Hashable, Sendable {
    package var kind: Operation.Kind
    package var failed: Bool
    package init(kind: Operation.Kind, failed: Bool) {
      self.kind = kind
      self.failed = failed
    }
  }

  /// Of each kind: those that succeeded, those that failed.
  private var all = Array(repeating: Histogram(), count: 2 * Operation.Kind.allCases.count)

  package init() {}

  /// Nanoseconds; what did not occur is not there.
  package var histograms: [Key: Histogram] {
    var histograms: [Key: Histogram] = [:]
    for kind in Operation.Kind.allCases {
      for failed in [false, true] where !all[Self.place(kind, failed)].isEmpty {
        histograms[Key(kind: kind, failed: failed)] = all[Self.place(kind, failed)]
      }
    }
    return histograms
  }

  /// An operation whose start was not seen has no duration, and is not counted.
  package mutating func add(_ operation: Operation) {
    guard let start = operation.startNs else { return }
    add(operation.kind, failed: operation.failed, startNs: start, endNs: operation.endNs)
  }

  package mutating func add(
    _ kind: Operation.Kind, failed: Bool, startNs: UInt64, endNs: UInt64
  ) {
    guard startNs <= endNs else { return }
    all[Self.place(kind, failed)].record(endNs - startNs)
  }

  private static func place(_ kind: Operation.Kind, _ failed: Bool) -> Int {
    2 * kind.place + (failed ? 1 : 0)
  }
}
