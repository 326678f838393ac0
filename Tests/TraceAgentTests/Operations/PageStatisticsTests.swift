// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Testing

@testable import Operations

@Suite struct PageStatisticsTests {
  private let format = SampleRecording.traits.pageTables

  private func statistics(_ records: mrt_pages...) -> PageStatistics {
    var statistics = PageStatistics()
    for record in records { statistics.add(.pages(record)) }
    return statistics
  }

  @Test func sameFlagsAreSummedAndDecoded() throws {
    let counts = statistics(
      SampleEvents.pages(count: 10), SampleEvents.pages(count: 6),
      SampleEvents.pages(count: 3, outcome: MRT_PAGES_ACCEPTED, weight: 64)
    ).counts(format: format)
    try #require(counts.count == 2)
    #expect(counts[0].outcome == .accepted)
    #expect(counts[0].pages == 192)
    #expect(counts[1].outcome == .inFailedWalk)
    #expect(counts[1].pages == 16)
    #expect(counts[1].counted == 16)
    #expect(counts[1].entry.kind == .present)
    #expect(
      counts[1].entry.flags
        == ["PRESENT", "RW", "USER", "ACCESSED", "DIRTY", "SPECIAL", "DEVMAP", "NX"])
  }

  /// The kernel side leaves the type of a swap entry, and clears the place in swap to 0.
  @Test func swapTypeEntriesKeepTheirType() {
    let offset0: UInt64 = 0x07FF_FFFF_FFFF_FE00
    let counts = statistics(
      SampleEvents.pages(bits: 26 << 59 | offset0, count: 1),
      SampleEvents.pages(bits: 3 << 59 | offset0, count: 2),
      SampleEvents.pages(bits: 0, count: 3),
      // a marker keeps its number: uffd-wp
      SampleEvents.pages(bits: 30 << 59 | (offset0 & ~(1 << 9)), count: 4)
    ).counts(format: format)
    #expect(counts.map(\.entry.kind) == [.marker(.uffdWP), .none, .swap(type: 3), .hwpoison])
  }

  /// Each part of a recording ends with the totals of the run: the last ones count.
  @Test func eachPartCountsFromTheStart() {
    var statistics = PageStatistics()
    for (count, part) in [(3, 0), (4, 0), (5, 2), (1, 2)] {
      statistics.add(.pages(SampleEvents.pages(count: UInt64(count))), part: part)
    }
    statistics.add(.stack(SampleEvents.stack()), part: 3)
    #expect(statistics.counts(format: format).map(\.pages) == [6])
  }

  @Test func levelsAreApart() {
    let counts = statistics(
      SampleEvents.pages(bits: 0x8000_0000_0000_00E7, count: 512, level: MRT_LEVEL_PMD),
      SampleEvents.pages(bits: 0x8000_0000_0000_00E7, count: 1)
    ).counts(format: format)
    #expect(counts.map(\.entry.level) == [.pmd, .pte])
  }

  @Test func whatALaterVersionAddsIsLeftOut() {
    let unknown = statistics(
      SampleEvents.pages(level: MRT_LEVEL_PUD), SampleEvents.pages(outcome: 9),
      SampleEvents.pages(weight: 0))
    #expect(!unknown.isEmpty)
    #expect(unknown.counts(format: format).isEmpty)
    var none = PageStatistics()
    none.add(.counter(SampleEvents.counter()))
    #expect(none.isEmpty)
  }
}
