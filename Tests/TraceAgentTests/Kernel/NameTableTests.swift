// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kernel

@Suite struct NameTableTests {
  private func find(_ text: String, in names: [String]) -> Int? {
    let bytes = Array(text.utf8) + [0]
    return bytes.withUnsafeBytes { NameTable(names).find($0, 0) }
  }

  @Test func namesAreFoundByTheirPlace() {
    let names = ["page", "pte_t", "mm_struct", "a", "ab"]
    for (place, name) in names.enumerated() { #expect(find(name, in: names) == place) }
    for other in ["pag", "pages", "pte", "b", "", "mm_struct_", "Page"] {
      #expect(find(other, in: names) == nil)
    }
  }

  @Test func whatFollowsThreeUnderscoresOnlyTellsApart() {
    let names = ["page", "a", "__x"]
    #expect(find("page___old", in: names) == 0)
    #expect(find("a___2", in: names) == 1)
    #expect(find("__x___v2", in: names) == 2)
    #expect(find("page__old", in: names) == nil)
  }

  @Test func nothingIsReadBeyondTheEnd() {
    let bytes: [UInt8] = [UInt8(ascii: "p"), UInt8(ascii: "a")]
    bytes.withUnsafeBytes {
      #expect(NameTable(["page", "pa"]).find($0, 0) == nil)
      #expect(NameTable(["page", "a"]).find($0, 1) == nil)
    }
  }
}
