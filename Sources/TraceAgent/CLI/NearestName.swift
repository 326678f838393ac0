// SPDX-License-Identifier: Apache-2.0

/// What a misspelled word may have meant.
enum NearestName {
  /// At most three names, the nearest first; none that is nothing like the word.
  static func of(_ word: String, in names: [String]) -> [String] {
    let scored = names.enumerated().compactMap { order, name -> (Int, Int, String)? in
      let distance = distance(Array(word.utf8), Array(name.utf8))
      if distance <= max(2, name.utf8.count / 3) { return (distance, order, name) }
      // A part of a name: "devmap", "memlock".
      guard word.utf8.count >= 3, name.contains(word) else { return nil }
      return (100 + name.utf8.count, order, name)
    }
    return scored.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map(\.2)
  }

  /// Insertions, deletions and replacements from one to the other (Levenshtein).
  static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
    var row = Array(0...other.count)
    for (i, byte) in one.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in other.indices {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (byte == other[j] ? 0 : 1))
        diagonal = above
      }
    }
    return row[other.count]
  }
}
