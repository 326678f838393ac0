// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Live
import Model
import Pump

/// The live screen beside a recording. A class, since it is there or not, and owns a terminal.
final class RecordScreen: RecordObserver {
  private var feed: LiveFeed
  private var display: LiveDisplay
  /// What would have been printed while the screen was there.
  private var notes: [String] = []
  private var lastShown: UInt64 = 0
  private static let intervalNs: UInt64 = 1_000_000_000

  /// Should there be a screen on standard error? A command that writes to the same terminal has it
  /// for itself, unless the screen is asked for.
  static func isWanted(_ settings: RecordSettings) -> Bool {
    let style = Output.style(of: STDERR_FILENO)
    return switch settings.screen {
    case .never: false
    case .auto:
      style.cursor && style.colour && settings.subject.command.isEmpty && !settings.isQuiet
    case .always: style.cursor
    }
  }

  /// nil where it is not wanted, or the terminal cannot be taken.
  init?(
    _ settings: RecordSettings, _ attached: borrowing Attachment, run: RunIdentity, path: String
  ) {
    guard Self.isWanted(settings) else { return nil }
    feed = LiveFeed(traits: attached.facts.traits, plan: attached.tracer.plan, run: run)
    display = LiveDisplay(
      output: STDERR_FILENO, wanted: settings.screen, json: false,
      subject: .init(what: "recording into \(path)", kernel: attached.facts.release))
    guard display.hasScreen else { return nil }
    feed.sight = attached.sight
  }

  func watched(by loop: borrowing EventLoop) throws(KernelError) {
    try display.watched(by: loop)
  }

  func add(_ record: UnsafeRawBufferPointer) { feed.add(record) }

  /// Keys, the window; the numbers once a second. True: the user wants to end.
  func turn(_ tracer: borrowing Tracer, now: UInt64) -> Bool {
    if now - lastShown >= Self.intervalNs {
      lastShown = now
      display.show(feed.snapshot(of: tracer, nowNs: now), isLast: false)
    }
    return display.react(feed.named)
  }

  var sight: Sight? {
    get { feed.sight }
    set { feed.sight = newValue }
  }

  func note(_ text: String) { notes.append(text) }

  /// Gives the terminal back.
  func leave() { display.leave() }

  /// Prints what had to wait.
  func printNotes() {
    for note in notes { Output.notes(note) }
    notes = []
  }
}
