// SPDX-License-Identifier: Apache-2.0

/// How a hook is attached, from the best way down to none; the words are those of recordings and of JSON.
package enum Rung: String, Sendable {
  case fexit, kprobe, tracepoint
  /// No function of its own: its decision is found again from what a caller saw.
  case replay
  /// Its module is not loaded: attached when it is.
  case later
  /// Not asked for in this run.
  case off
  /// Not attached, and nothing stands in.
  case absent
  /// Of a record that no hook made.
  case noHook = "none"

  /// A program is attached to it.
  package var isAttached: Bool {
    switch self {
    case .fexit, .kprobe, .tracepoint: true
    case .replay, .later, .off, .absent, .noHook: false
    }
  }
}
