// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Live
import Model
import Terminal

/// Where the numbers go: the screen, plain lines, or JSON lines.
struct LiveDisplay: ~Copyable {
  private enum Way { case screen, plain, json }

  private let subject: LiveScreen.Subject
  private var way: Way
  private var screen: TerminalScreen?
  private let style: Style
  private let output: CInt
  private var view = LiveView()
  private var plain = LivePlain()
  private var lines = LiveJSON()
  private var newest = LiveSnapshot()

  /// The screen is on `output` where that is a terminal and `wanted` does not forbid it.
  init(output: CInt, wanted: ScreenChoice, json: Bool, subject: LiveScreen.Subject) {
    self.subject = subject
    self.output = output
    let style = Output.style(of: output)
    self.style = style
    let allowed =
      switch wanted {
      case .auto: style.cursor && style.colour
      case .always: style.cursor
      case .never: false
      }
    way = json ? .json : .plain
    screen = nil
    guard allowed, !json, let screen = TerminalScreen.open(on: output) else { return }
    self.screen = consume screen
    way = .screen
  }

  var hasScreen: Bool { way == .screen }

  /// Keys and the window's changes wake `loop`.
  mutating func watched(by loop: borrowing EventLoop) throws(KernelError) {
    try screen?.watched(by: loop)
  }

  /// An interval has passed.
  mutating func show(_ snapshot: LiveSnapshot, isLast: Bool) {
    newest = snapshot
    switch way {
    case .screen: redraw()
    case .plain: Output.write(plain.lines(snapshot), to: output)
    case .json: Output.write(lines.lines(snapshot, isLast: isLast), to: output)
    }
  }

  /// What the user has done since; `named` adds what is known of a failure shown in detail. True:
  /// he wants to go.
  mutating func react(
    _ named: (LiveSnapshot.Failure) -> LiveSnapshot.Failure
  ) -> Bool {
    guard hasScreen else { return false }
    guard let events = screen?.poll() else { return false }
    for key in events.keys {
      if view.press(key, newest: newest) == .quit { return true }
      view.replaceDetail(named)
    }
    if events.isRedraw || !events.keys.isEmpty { redraw() }
    return false
  }

  /// Gives the terminal back, and leaves the last numbers on it.
  mutating func close() {
    guard way == .screen else { return }
    leave()
    Output.write(plain.total(newest), to: output)
  }

  /// Gives the terminal back.
  mutating func leave() {
    guard way == .screen else { return }
    screen = nil
    way = .plain
  }

  private mutating func redraw() {
    guard hasScreen else { return }
    var view = view
    let (newest, subject, style) = (newest, subject, style)
    screen?.draw { LiveScreen.lines(newest, subject, &view, size: $0, style: style) }
    self.view = view
  }
}
