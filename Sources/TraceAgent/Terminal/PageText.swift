// SPDX-License-Identifier: Apache-2.0

import Model

/// The failing page: its entry beside those of its neighbours.
enum PageText {
  /// One line of the table: a page, or a run of neighbours with the same flags.
  struct Row: Equatable {
    var address: UInt64
    var pages: Int
    var raw: UInt64
    /// The raw values of a run differ (by the frame, mostly).
    var differing: Bool
    var flags: [String]
    var isFailing: Bool
  }

  /// Neighbours in order of address, equal ones next to each other folded. The failing page stands
  /// alone always.
  static func rows(_ page: Diagnosis.Page) -> [Row] {
    var entries = page.neighbours
    if let raw = page.raw {
      // What the page itself says counts, also where the neighbours were read at another moment.
      entries.removeAll { $0.address == page.address }
      entries.append(.init(address: page.address, raw: raw, flags: page.flags))
    }
    entries.sort { $0.address < $1.address }
    let size = pageSize(level: page.level)
    var rows: [Row] = []
    for entry in entries {
      let failing = entry.address == page.address
      if !failing, let last = rows.last, !last.isFailing, last.flags == entry.flags,
        (last.raw == 0) == (entry.raw == 0),
        entry.address == last.address &+ size &* UInt64(last.pages)
      {
        rows[rows.count - 1].pages += 1
        rows[rows.count - 1].differing = last.differing || last.raw != entry.raw
      } else {
        rows.append(
          Row(
            address: entry.address, pages: 1, raw: entry.raw, differing: false, flags: entry.flags,
            isFailing: failing))
      }
    }
    return rows
  }

  /// Bytes that one entry of `level` maps; an unknown level counts as a PTE (x86-64).
  private static func pageSize(level: String?) -> UInt64 {
    switch level {
    case "pmd": 1 << 21
    case "pud": 1 << 30
    default: 1 << 12
    }
  }

  static func table(_ page: Diagnosis.Page, width: Int) -> TextTable {
    let rows = rows(page)
    let columns = flagColumns(rows.map(\.flags))
    let flagsWidth = columns.reduce(-1) { $0 + $1.count + 1 }
    let addresses = rows.map { row in
      (row.isFailing ? "> " : "  ") + Quantity.hex(row.address)
        + (row.pages > 1 ? " x\(row.pages)" : "")
    }
    let raw = rows.map { Quantity.hex($0.raw) }
    let title = rows.contains(where: \.differing) ? "raw (of the first)" : "raw"
    let before =
      (addresses.map(\.count).max() ?? 0) + 2 + max(title.count, raw.map(\.count).max() ?? 0) + 2
    let aligned = before + flagsWidth <= width
    var table = TextTable([.init("  address"), .init(title), .init("flags")])
    for (number, row) in rows.enumerated() {
      let role: Style.Role? = row.isFailing ? .bad : nil
      table.add([
        Span(addresses[number], role), Span(raw[number], role),
        Span(flagText(row, columns: aligned ? columns : nil), role),
      ])
    }
    return table
  }

  private static func flagText(_ row: Row, columns: [String]?) -> String {
    if row.flags.isEmpty { return row.raw == 0 ? "none: no entry" : "none of this kernel's" }
    guard let columns else { return row.flags.joined(separator: " ") }
    var text = columns.map { name in
      row.flags.contains(name) ? name : String(repeating: " ", count: name.count)
    }.joined(separator: " ")
    while text.last == " " { text.removeLast() }
    return text
  }

  /// All flags of the rows, each list's order kept, so that every flag can have a column of its
  /// own.
  static func flagColumns(_ lists: [[String]]) -> [String] {
    var columns: [String] = []
    for list in lists {
      var next = 0
      for name in list {
        if let index = columns.firstIndex(of: name) {
          next = max(next, index + 1)
        } else {
          columns.insert(name, at: next)
          next += 1
        }
      }
    }
    return columns
  }

  /// "only here: SPECIAL DEVMAP; …": what sets the page apart from every mapped neighbour; nil
  /// where nothing does.
  static func difference(_ page: Diagnosis.Page) -> String? {
    let others = page.neighbours.filter { $0.address != page.address && !$0.flags.isEmpty }
    guard page.raw != nil, !others.isEmpty else { return nil }
    let only = page.flags.filter { flag in !others.contains { $0.flags.contains(flag) } }
    // An entry of another kind (poisoned, swapped, none) lacks every flag: that says nothing.
    let comparable = page.flags.contains("PRESENT") ? others.first?.flags ?? [] : []
    let missing = comparable.filter { flag in
      !page.flags.contains(flag) && others.allSatisfy { $0.flags.contains(flag) }
    }
    var parts: [String] = []
    if !only.isEmpty { parts.append("only this page has " + only.joined(separator: " ")) }
    if !missing.isEmpty { parts.append("only this page lacks " + missing.joined(separator: " ")) }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
