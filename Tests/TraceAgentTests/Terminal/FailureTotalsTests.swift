// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Terminal

@Suite struct FailureTotalsTests {
  private static let samples = [
    DiagnosisSamples.specialPage, DiagnosisSamples.beyondEOF, DiagnosisSamples.pinnedFSDAX,
    DiagnosisSamples.beyondEOF, DiagnosisSamples.unknown, DiagnosisSamples.specialPage,
  ]

  /// Shown in order of their beginning, counted in order of their end.
  @Test func theOrderInWhichTheyComeDoesNotMatter() {
    let inOrder = FailureTotals(Self.samples)
    var reversed = FailureTotals()
    for (number, sample) in Self.samples.enumerated().reversed() {
      reversed.add(sample, number: number)
    }
    #expect(inOrder == reversed)
    #expect(inOrder.rows.map(\.first) == [0, 1, 2, 4])
    #expect(inOrder.rows.map(\.count) == [2, 2, 1, 1])
    #expect(inOrder.mended == 1)
    #expect(inOrder.failed == 5)
  }

  @Test func partsAddUpToTheWhole() {
    var sum = FailureTotals(Self.samples[..<2])
    sum.add(FailureTotals(Self.samples[2...]))
    #expect(sum == FailureTotals(Self.samples))
  }
}
