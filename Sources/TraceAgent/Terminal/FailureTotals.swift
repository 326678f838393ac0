// SPDX-License-Identifier: Apache-2.0

import Model

/// What the end of a report says of its failures, counted while each is shown: no diagnosis need be kept.
package struct FailureTotals: Equatable, Sendable {
  /// Failures that differ in nothing that is counted.
  struct Row: Equatable, Sendable {
    struct Key: Hashable, Sendable {
      var cause: String
      var errno: Errno
      var kind: Operation.Kind
      var confidence: Diagnosis.Confidence
    }
    var key: Key
    /// Number of the first of them, in order of their end.
    var first: Int
    /// Those that the program mended too.
    var count: UInt64 = 0
    var mended: UInt64 = 0
  }

  private var counted: [Row.Key: Row] = [:]
  /// Failed operations by the flags of their page.
  private(set) var decided: [[String]: UInt64] = [:]
  package private(set) var count = 0
  private(set) var mended = 0

  package init() {}

  package init(_ diagnoses: some Sequence<Diagnosis>) {
    for (number, diagnosis) in diagnoses.enumerated() { add(diagnosis, number: number) }
  }

  /// `number` is its place in order of the end, in which failures need not come here.
  package mutating func add(_ diagnosis: Diagnosis, number: Int) {
    let isMended = diagnosis.operation.recoveredBy != nil
    let key = Row.Key(
      cause: diagnosis.cause, errno: diagnosis.errno, kind: diagnosis.operation.kind,
      confidence: diagnosis.confidence)
    var row = counted[key] ?? Row(key: key, first: number)
    row.first = min(row.first, number)
    row.count += 1
    if isMended { row.mended += 1 }
    counted[key] = row
    if let flags = PageFlagsText.key(of: diagnosis) { decided[flags, default: 0] += 1 }
    count += 1
    if isMended { mended += 1 }
  }

  /// Those of `others` after these.
  mutating func add(_ other: FailureTotals) {
    for row in other.rows {
      var sum = counted[row.key] ?? Row(key: row.key, first: count + row.first)
      sum.count += row.count
      sum.mended += row.mended
      counted[row.key] = sum
    }
    decided.merge(other.decided, uniquingKeysWith: +)
    count += other.count
    mended += other.mended
  }

  /// In order of their first failure.
  var rows: [Row] { counted.values.sorted { $0.first < $1.first } }
  /// Those that nothing mended.
  var failed: Int { count - mended }
}
