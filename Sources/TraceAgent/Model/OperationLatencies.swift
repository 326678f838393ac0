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

  /// Nanoseconds.
  package private(set) var histograms: [Key: Histogram] = [:]

  package init() {}

  /// An operation whose start was not seen has no duration, and is not counted.
  package mutating func add(_ operation: Operation) {
    guard let start = operation.startNs, start <= operation.endNs else { return }
    histograms[Key(kind: operation.kind, failed: operation.failed), default: Histogram()]
      .record(operation.endNs - start)
  }
}
