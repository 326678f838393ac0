// SPDX-License-Identifier: Apache-2.0

/// Why a function is not watched that this kernel has, or may have.
package enum Unwatched: Equatable, Sendable {
  /// By --no-hook.
  case forcedOff
  /// The kernel attaches kprobes and does not run them, and nothing else is left.
  case kprobesOff
  /// The kernel's verifier did not take its program; what it said.
  case refused(String?)
  /// The errno's name.
  case notAttached(String)
  /// The reason.
  case notHooked(String)

  private static let forced = "forced off"
  private static let refusal = "was refused by this kernel"
  private static let attaching = "could not be attached"
  private static let hooking = "cannot be hooked"
  private static let noKprobes =
    "kprobes are switched off (/sys/kernel/debug/kprobes/enabled is 0)"

  /// As doctor shows it and recordings keep it.
  package var note: String {
    switch self {
    case .forcedOff: Self.forced
    case .kprobesOff: "\(Self.hooking): \(Self.noKprobes)"
    case .refused(let said): "its program \(Self.refusal)\(said.map { " (\($0))" } ?? "")"
    case .notAttached(let why): "\(Self.attaching): \(why)"
    case .notHooked(let why): "\(Self.hooking): \(why)"
    }
  }

  /// Follows the function's name in a sentence.
  package var sentence: String {
    switch self {
    case .forcedOff: "\(Self.forced) by --no-hook"
    case .refused: note
    case .kprobesOff, .notAttached, .notHooked: "it \(note)"
    }
  }

  /// From a note of a recording, which may have a symbol before it; nil: it says something else.
  package init?(note: String) {
    let places: [(String, (Substring) -> Unwatched)] = [
      (Self.forced, { _ in .forcedOff }),
      (Self.refusal, { .refused($0.isEmpty ? nil : String($0.dropFirst(2).dropLast())) }),
      (Self.attaching, { .notAttached(String($0.dropFirst(2))) }),
      (
        Self.hooking,
        { $0.dropFirst(2) == Self.noKprobes ? .kprobesOff : .notHooked(String($0.dropFirst(2))) }
      ),
    ]
    // What one of them says may contain another.
    let found = places.compactMap { words, make in
      note.firstRange(of: words).map { (range: $0, make: make) }
    }
    guard let first = found.min(by: { $0.range.lowerBound < $1.range.lowerBound }) else {
      return nil
    }
    self = first.make(note[first.range.upperBound...])
  }
}
