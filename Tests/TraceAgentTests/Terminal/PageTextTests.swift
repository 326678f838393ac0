// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Terminal

@Suite struct PageTextTests {
  static func page(_ flags: [[String]], failing: Int, step: UInt64 = 4096, level: String = "pte")
    -> Diagnosis.Page
  {
    var page = Diagnosis.Page(
      address: UInt64(failing) * step, level: level, raw: 0x1000 + UInt64(failing),
      flags: flags[failing])
    page.neighbours = flags.enumerated().map { index, flags in
      .init(
        address: UInt64(index) * step, raw: flags.isEmpty ? 0 : 0x1000 + UInt64(index), flags: flags
      )
    }
    return page
  }

  @Test func equalNeighboursFoldAndTheFailingPageStandsAlone() {
    let page = PageTextTests.page([["A"], ["A"], ["A"], ["A"], ["B"], [], []], failing: 2)
    let rows = PageText.rows(page)
    #expect(rows.map(\.pages) == [2, 1, 1, 1, 2])
    #expect(rows.map(\.isFailing) == [false, true, false, false, false])
    #expect(rows.map(\.differing) == [true, false, false, false, false])
    #expect(rows.map(\.address) == [0, 0x2000, 0x3000, 0x4000, 0x5000])
  }

  @Test func aHoleBetweenNeighboursIsNotFolded() {
    var page = PageTextTests.page([["A"], ["A"], ["A"], ["B"]], failing: 3)
    page.neighbours.remove(at: 1)
    #expect(PageText.rows(page).map(\.pages) == [1, 1, 1])
  }

  @Test func hugePagesFoldByTheirSize() {
    let page = PageTextTests.page([["A"], ["A"], ["B"]], failing: 2, step: 1 << 21, level: "pmd")
    #expect(PageText.rows(page).map(\.pages) == [2, 1])
  }

  @Test func anEmptyEntryIsNotOneWithUnknownFlags() {
    var page = PageTextTests.page([[], [], ["B"]], failing: 2)
    page.neighbours[1].raw = 0xfff
    #expect(PageText.rows(page).map(\.pages) == [1, 1, 1])
  }

  @Test func thePageItselfIsShownOnceAndAsDiagnosed() {
    var page = PageTextTests.page([["A"], ["B"]], failing: 1)
    page.neighbours[1].raw = 0
    page.neighbours[1].flags = []
    let failing = PageText.rows(page).filter(\.isFailing)
    #expect(failing.map(\.flags) == [["B"]])
    #expect(failing.map(\.raw) == [0x1001])
  }

  @Test func everyFlagGetsOneColumnInOrder() {
    let columns = PageText.flagColumns([["P", "U", "NX"], ["P", "RW", "U"], ["S", "NX"]])
    #expect(columns.count == 5)
    for list in [["P", "U", "NX"], ["P", "RW", "U"], ["S", "NX"]] {
      #expect(columns.filter(list.contains) == list)
    }
  }

  @Test func theDifferenceIsToMappedNeighboursOnly() {
    let page = PageTextTests.page([["PRESENT", "D"], ["PRESENT", "S"], []], failing: 1)
    #expect(PageText.difference(page) == "only this page has S; only this page lacks D")
    #expect(PageText.difference(PageTextTests.page([["P"], ["P"]], failing: 0)) == nil)
    #expect(PageText.difference(PageTextTests.page([["P"], []], failing: 0)) == nil)
    // A poisoned page is of another kind.
    let poisoned = PageTextTests.page([["PRESENT", "RW"], ["HWPOISON"]], failing: 1)
    #expect(PageText.difference(poisoned) == "only this page has HWPOISON")
    #expect(PageText.difference(PageTextTests.page([["PRESENT"], []], failing: 1)) == nil)
    // Not "only this page": another one has it too.
    #expect(
      PageText.difference(PageTextTests.page([["P", "S"], ["P"], ["P", "S"]], failing: 0)) == nil)
  }
}
