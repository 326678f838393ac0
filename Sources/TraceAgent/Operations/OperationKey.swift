// SPDX-License-Identifier: Apache-2.0

/// What ties records to their operation.
struct OperationKey: Hashable, Sendable {
  var tid: UInt32
  var operation: UInt64
}

/// Places in an array by ``OperationKey``: open addressing, since one is asked for with every
/// record.
struct OperationKeyTable: Sendable {
  private struct Cell: Sendable {
    var key: OperationKey
    /// -1: empty.
    var place: Int
  }

  private var cells: [Cell]
  private(set) var count = 0
  private var mask: Int { cells.count - 1 }
  /// Not the same in each run: a recording made to collide cannot know it.
  private let seed = UInt64.random(in: 0...UInt64.max)

  private static let empty = Cell(key: OperationKey(tid: 0, operation: 0), place: -1)

  init() { cells = Array(repeating: Self.empty, count: 64) }

  subscript(key: OperationKey) -> Int? {
    let cell = cells[find(key)]
    return cell.place >= 0 ? cell.place : nil
  }

  /// Adds a key that is not there.
  mutating func insert(_ key: OperationKey, place: Int) {
    if 2 * (count + 1) > cells.count { grow() }
    cells[find(key)] = Cell(key: key, place: place)
    count += 1
  }

  mutating func remove(_ key: OperationKey) -> Int? {
    var hole = find(key)
    let place = cells[hole].place
    guard place >= 0 else { return nil }
    // Those behind move up, so that no search ends early at the hole.
    var next = hole
    while true {
      next = (next + 1) & mask
      guard cells[next].place >= 0 else { break }
      let home = hash(cells[next].key)
      if (next - home) & mask >= (next - hole) & mask {
        cells[hole] = cells[next]
        hole = next
      }
    }
    cells[hole] = Self.empty
    count -= 1
    return place
  }

  /// The cell of `key`, or the empty one where it belongs.
  private func find(_ key: OperationKey) -> Int {
    var index = hash(key)
    while cells[index].place >= 0, cells[index].key != key { index = (index + 1) & mask }
    return index
  }

  private func hash(_ key: OperationKey) -> Int {
    var mixed = (key.operation ^ seed) &* 0x9e37_79b9_7f4a_7c15
    mixed ^= mixed >> 32
    mixed = (mixed ^ UInt64(key.tid)) &* 0xd6e8_feb8_6659_fd93
    return Int(truncatingIfNeeded: mixed >> 32) & mask
  }

  private mutating func grow() {
    let old = cells
    cells = Array(repeating: Self.empty, count: 2 * old.count)
    for cell in old where cell.place >= 0 { cells[find(cell.key)] = cell }
  }
}
