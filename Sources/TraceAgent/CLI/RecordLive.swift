// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Live
import Model
import Pump

/// The live screen beside a recording. A class, since it is there or not, and owns a terminal.
final class RecordLive: RecordObserver {
  private var feed: LiveFeed
  private var display: LiveDisplay
  private let held: HeldOutput?
  /// What would have been printed while the screen was there.
  private var notes: [String] = []
  private var lastShown: UInt64 = 0
  private static let intervalNs: UInt64 = 1_000_000_000

  /// Should there be a screen on standard error? A command that writes to the same terminal has it
  /// for itself, unless the screen is asked for.
  static func isWanted(_ options: RecordCommand) -> Bool {
    let style = Output.style(of: STDERR_FILENO)
    return switch options.live {
    case .never: false
    case .auto: style.cursor && style.colour && options.command.isEmpty && !options.quiet
    case .always: style.cursor
    }
  }

  /// nil where the terminal cannot be taken.
  init?(
    _ options: RecordCommand, facts: KernelFacts, plan: HookPlan, run: RunIdentity, path: String,
    held: HeldOutput?
  ) {
    feed = LiveFeed(traits: facts.traits, plan: plan, run: run)
    display = LiveDisplay(
      output: STDERR_FILENO, wanted: options.live == .always ? .always : .auto, json: false,
      subject: .init(what: "recording into \(path)", kernel: facts.release))
    self.held = held
    guard display.hasScreen else { return nil }
  }

  func watched(by loop: borrowing EventLoop) throws(KernelError) {
    try display.watched(by: loop)
    if let held { try loop.watch(held.reading) }
  }

  func add(_ record: UnsafeRawBufferPointer) { feed.add(record) }

  /// Keys, the window, the command's output; the numbers once a second. True: the user wants to end.
  func turn(_ tracer: borrowing Tracer, _ loop: borrowing EventLoop, now: UInt64) -> Bool {
    if let held, !held.read() { loop.unwatch(held.reading) }
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

  /// Gives the terminal back, and prints what had to wait.
  func close() {
    display.leave()
    held?.release(to: STDERR_FILENO)
    for note in notes { Output.notes(note) }
    notes = []
  }
}
