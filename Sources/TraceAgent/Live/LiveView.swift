// SPDX-License-Identifier: Apache-2.0

import Model
import Terminal

/// What the user has chosen to see.
package struct LiveView: Sendable {
  package enum Table: String, CaseIterable, Sendable { case processes, regions, files, flags }
  package enum Page: Sendable {
    case summary
    case detail(LiveSnapshot.Failure)
    case help
  }

  package private(set) var page = Page.summary
  package private(set) var order = RankOrder.failures
  package private(set) var table = Table.processes
  /// Number of the selected failure; nil: none, the newest are shown.
  package private(set) var selected: UInt64?
  /// Lines of detail or help that have gone off the top.
  package private(set) var scroll = 0
  /// The snapshot that stays while paused.
  package private(set) var frozen: LiveSnapshot?

  package init() {}

  package var isPaused: Bool { frozen != nil }

  /// What is to be shown of the newest snapshot.
  package func shown(_ newest: LiveSnapshot) -> LiveSnapshot { frozen ?? newest }

  package enum Outcome: Equatable, Sendable { case stay, quit }

  package mutating func press(_ key: Key, newest: LiveSnapshot) -> Outcome {
    let snapshot = shown(newest)
    switch (key, page) {
    case (.character("q"), .summary), (.character("Q"), _), (.endOfInput, _): return .quit
    case (.character("q"), _), (.escape, .detail), (.escape, .help): page = .summary
    case (.escape, .summary): selected = nil
    case (.character("p"), _), (.character(" "), _):
      frozen = isPaused ? nil : newest
    case (.character("?"), .help), (.character("h"), .help): page = .summary
    case (.character("?"), _), (.character("h"), _):
      page = .help
      scroll = 0
    case (.character("s"), .summary): order = order == .failures ? .faultTime : .failures
    case (.character("t"), .summary), (.tab, .summary):
      let all = Table.allCases
      table = all[((all.firstIndex(of: table) ?? 0) + 1) % all.count]
    case (.enter, .summary):
      if let failure = selection(in: snapshot) ?? snapshot.recent.last {
        selected = failure.number
        page = .detail(failure)
        scroll = 0
      }
    case (.up, .summary), (.character("k"), .summary): move(-1, snapshot)
    case (.down, .summary), (.character("j"), .summary): move(1, snapshot)
    case (.up, _), (.character("k"), _): scroll = max(0, scroll - 1)
    case (.down, _), (.character("j"), _): scroll += 1
    case (.pageUp, _): scroll = max(0, scroll - 10)
    case (.pageDown, _): scroll += 10
    case (.home, _): scroll = 0
    case (.end, _): scroll = .max / 2
    default: break
    }
    return .stay
  }

  func selection(in snapshot: LiveSnapshot) -> LiveSnapshot.Failure? {
    guard let selected else { return nil }
    // What has gone from the list leaves its place to the oldest that is there.
    return snapshot.recent.first { $0.number >= selected }
  }

  /// The newest failure stands on top: up is towards newer ones.
  private mutating func move(_ step: Int, _ snapshot: LiveSnapshot) {
    let recent = snapshot.recent
    guard !recent.isEmpty else { return }
    guard let now = selection(in: snapshot),
      let index = recent.firstIndex(where: { $0.number == now.number })
    else {
      selected = recent.last?.number
      return
    }
    selected = recent[min(max(index - step, 0), recent.count - 1)].number
  }

  /// More is known of the failure that is shown in detail.
  package mutating func replaceDetail(_ complete: (LiveSnapshot.Failure) -> LiveSnapshot.Failure) {
    if case .detail(let failure) = page { page = .detail(complete(failure)) }
  }

  /// The text has an end: `lines` of it, `room` on the screen.
  mutating func limitScroll(lines: Int, room: Int) {
    scroll = min(scroll, max(0, lines - room))
  }
}

/// A key as the terminal sends it.
package enum Key: Equatable, Sendable {
  case character(Character)
  case up, down, pageUp, pageDown, home, end, enter, escape, tab
  /// The terminal has gone.
  case endOfInput
}

/// Bytes of a terminal to keys.
package struct KeyDecoder: Sendable {
  /// The beginning of a sequence whose end has not come.
  private var pending: [UInt8] = []
  private static let longest = 16

  package init() {}

  package mutating func keys(_ bytes: some Sequence<UInt8>) -> [Key] {
    pending += bytes
    var keys: [Key] = []
    while let first = pending.first {
      guard first == 0x1b else {
        pending.removeFirst()
        if let key = Self.plain(first) { keys.append(key) }
        continue
      }
      guard pending.count > 1 else { break }
      guard pending[1] == UInt8(ascii: "[") || pending[1] == UInt8(ascii: "O") else {
        pending.removeFirst()
        keys.append(.escape)
        continue
      }
      guard let end = pending.dropFirst(2).firstIndex(where: { (0x40...0x7e).contains($0) }) else {
        if pending.count > Self.longest { pending = [] }
        break
      }
      let sequence = Array(pending[2...end])
      pending.removeFirst(end + 1)
      if let key = Self.sequence(sequence) { keys.append(key) }
    }
    return keys
  }

  /// Nothing has followed for a while: an escape was the key.
  package mutating func flush() -> [Key] {
    guard pending == [0x1b] else { return [] }
    pending = []
    return [.escape]
  }

  private static func plain(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x0d, 0x0a: .enter
    case 0x09: .tab
    case 0x20...0x7e: .character(Character(Unicode.Scalar(byte)))
    default: nil
    }
  }

  private static func sequence(_ bytes: [UInt8]) -> Key? {
    switch String(decoding: bytes, as: UTF8.self) {
    case "A": .up
    case "B": .down
    case "H", "1~", "7~": .home
    case "F", "4~", "8~": .end
    case "5~": .pageUp
    case "6~": .pageDown
    default: nil
    }
  }
}
