// SPDX-License-Identifier: Apache-2.0

/// A page, or several in one piece, that migrate_pages() could not move for a pin.
package struct FolioEvidence: Equatable, Sendable {
  package enum Zone: String, Sendable {
    case dma = "DMA"
    case dma32 = "DMA32"
    case normal = "Normal"
    case movable = "Movable"
    case device = "Device"
  }

  /// `MRT_FOLIO_…`
  package struct State: OptionSet, Hashable, Sendable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let anonymous = State(rawValue: 1 << 0)
    package static let file = State(rawValue: 1 << 1)
    package static let swapCache = State(rawValue: 1 << 2)
    package static let writeback = State(rawValue: 1 << 3)
    package static let dirty = State(rawValue: 1 << 4)
    package static let hasPrivate = State(rawValue: 1 << 5)
    package static let locked = State(rawValue: 1 << 6)

    package var names: [String] { FlagNames.of(UInt64(rawValue), in: State.table) }

    private static let table: [(bit: Int, name: String)] = [
      (0, "ANON"), (1, "FILE"), (2, "SWAPCACHE"), (3, "WRITEBACK"), (4, "DIRTY"), (5, "PRIVATE"),
      (6, "LOCKED"),
    ]
  }

  /// Kernel address: identity only.
  package var identity: UInt64
  /// In the process, and the page's frame; nil: not found there.
  package var address: UInt64?
  package var frame: UInt64?
  /// In its file, pages; the address of anonymous memory has it too.
  package var index: UInt64
  /// Of the file it is in the page cache of.
  package var inode: UInt64?
  package var references: Int
  /// nil: this kernel does not say it of several pages in one piece.
  package var mappings: Int?
  /// nil: of one page, whose pins are references, 1024 each.
  package var pins: Int?
  package var pages: UInt64?
  package var zone: Zone?
  package var node: UInt32?
  package var state: State

  package init(identity: UInt64, index: UInt64, references: Int, state: State) {
    self.identity = identity
    self.index = index
    self.references = references
    self.state = state
  }

  /// References that nothing known accounts for: besides who wants to move it, the page tables,
  /// page cache or swap cache, and what a file system keeps with it. nil = not known.
  package var unexplained: Int? {
    guard let mappings, let pages else { return nil }
    var expected = 1 + mappings
    if !state.isDisjoint(with: [.file, .swapCache]) { expected += Int(clamping: pages) }
    if state.contains(.hasPrivate) { expected += 1 }
    return references - expected
  }

  /// GUP_PIN_COUNTING_BIAS: what a pin adds to the references of one page.
  package static let pinBias = 1024
}
