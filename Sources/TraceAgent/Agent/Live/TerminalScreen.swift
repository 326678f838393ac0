// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Kernel
import Live
import Model

/// The terminal while a screen is on it: raw keys, no cursor, the other page. Whoever ends it, and
/// however, it is given back as it was: by `deinit`, before it sleeps (Ctrl-Z), and by a crash's
/// handler (CTerminal.h).
struct TerminalScreen: ~Copyable {
  /// The alternate page, without cursor, without wrapping at the last column.
  private static let enter: StaticString = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J"
  private static let leave: StaticString =
    "\u{1b}[?2026l\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

  private let output: CInt
  private let input: CInt
  private let ownsInput: Bool
  /// SIGWINCH, SIGTSTP, SIGCONT.
  private let signals: CInt
  private var decoder = KeyDecoder()
  /// Ticks since the last byte.
  private var quiet = 0
  private var shown: [String] = []
  private var isTaken = false

  struct Events {
    var keys: [Key] = []
    /// All lines must be drawn again.
    var isRedraw = false
  }

  /// nil where `output` is no terminal of ours, or has no keys: nothing has been changed then.
  static func open(on output: CInt) -> TerminalScreen? {
    guard isatty(output) == 1 else { return nil }
    let ownsInput = isatty(STDIN_FILENO) != 1
    let input = ownsInput ? Glibc.open("/dev/tty", O_RDONLY | O_CLOEXEC) : STDIN_FILENO
    guard input >= 0 else { return nil }
    // In the background it is another's.
    guard tcgetpgrp(input) == getpgrp() else {
      if ownsInput { close(input) }
      return nil
    }
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in [SIGWINCH, SIGTSTP, SIGCONT, SIGTTOU] { sigaddset(&mask, number) }
    guard sigprocmask(SIG_BLOCK, &mask, nil) == 0 else { return nil }
    sigdelset(&mask, SIGTTOU)
    let signals = signalfd(-1, &mask, CInt(O_CLOEXEC | O_NONBLOCK))
    var screen = TerminalScreen(
      output: output, input: input, ownsInput: ownsInput, signals: signals)
    guard signals >= 0 else { return nil }
    screen.take()
    guard screen.isTaken else { return nil }
    return screen
  }

  private init(output: CInt, input: CInt, ownsInput: Bool, signals: CInt) {
    self.output = output
    self.input = input
    self.ownsInput = ownsInput
    self.signals = signals
  }

  deinit {
    cterminal_give_back()
    if ownsInput { close(input) }
    if signals >= 0 { close(signals) }
  }

  mutating func watched(by loop: borrowing EventLoop) throws(KernelError) {
    try loop.watch(input)
    try loop.watch(signals)
  }

  private var size: LiveScreen.Size {
    var size = winsize()
    guard ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return .init(columns: 80, rows: 24)
    }
    return .init(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  /// Draws what has changed, in one write.
  mutating func draw(_ content: (LiveScreen.Size) -> [String]) {
    guard isTaken else { return }
    let lines = content(size)
    // Shown at once by terminals that know it; others pass over it.
    var text = "\u{1b}[?2026h"
    var isSame = true
    if lines.count != shown.count {
      shown = []
      text += "\u{1b}[0m\u{1b}[2J"
      isSame = false
    }
    for (row, line) in lines.enumerated() where row >= shown.count || shown[row] != line {
      text += "\u{1b}[\(row + 1);1H\u{1b}[2K\(line)"
      isSame = false
    }
    guard !isSame else { return }
    shown = lines
    Output.write(text + "\u{1b}[?2026l", to: output)
  }

  /// What the user and the window have done since; sleeps here where Ctrl-Z was pressed.
  mutating func poll() -> Events {
    var events = Events()
    var info = signalfd_siginfo()
    while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
      switch CInt(info.ssi_signo) {
      case SIGTSTP:
        cterminal_give_back()
        isTaken = false
        cterminal_stop_self()
      case SIGWINCH: shown = []
      default: break
      }
      events.isRedraw = true
    }
    // Awake again, perhaps in the background: then the screen waits.
    if !isTaken {
      guard tcgetpgrp(input) == getpgrp() else { return events }
      take()
      events.isRedraw = true
    }
    readKeys(into: &events)
    return events
  }

  private mutating func readKeys(into events: inout Events) {
    var state = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&state, 1, 0) > 0 else {
      quiet += 1
      if quiet > 1 { events.keys += decoder.flush() }
      return
    }
    quiet = 0
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(input, &bytes, bytes.count)
    if count > 0 {
      events.keys += decoder.keys(bytes[..<count])
    } else if state.revents & Int16(POLLHUP | POLLERR) != 0 {
      events.keys.append(.endOfInput)
    }
  }

  private mutating func take() {
    let result = cterminal_take(
      input, output, Self.text(Self.enter), Self.text(Self.leave))
    isTaken = result == 0
    shown = []
  }

  /// A `StaticString` ends with a zero byte, as C has it.
  private static func text(_ string: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
