// SPDX-License-Identifier: Apache-2.0

/// Reads RFC 4180, strictly; nil where the text breaks it.
func readCSV(_ text: [UInt8]) -> [[String]]? {
  var rows: [[String]] = []
  var row: [String] = []
  var cell: [UInt8] = []
  var at = 0
  let quote = UInt8(ascii: "\"")
  func ends() -> Bool { at + 1 < text.count && text[at] == 13 && text[at + 1] == 10 }
  while at < text.count {
    if text[at] == quote {
      guard cell.isEmpty else { return nil }
      at += 1
      while true {
        guard at < text.count else { return nil }
        if text[at] == quote {
          at += 1
          guard at < text.count, text[at] == quote else { break }
        }
        cell.append(text[at])
        at += 1
      }
      guard at < text.count, text[at] == UInt8(ascii: ",") || ends() else { return nil }
    } else if text[at] == UInt8(ascii: ",") || ends() {
      row.append(String(decoding: cell, as: UTF8.self))
      cell = []
      if ends() {
        rows.append(row)
        row = []
        at += 1
      }
      at += 1
    } else {
      guard text[at] >= 0x20 else { return nil }
      cell.append(text[at])
      at += 1
    }
  }
  return row.isEmpty && cell.isEmpty ? rows : nil
}
