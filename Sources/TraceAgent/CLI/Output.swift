// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Kernel
import Model
import Recording
import Terminal

/// Writing to the terminal and ending with the right status: results to stdout, everything else to stderr.
enum Output {
  static func results(_ text: String) { write(text, to: STDOUT_FILENO) }
  static func notes(_ text: String) { write(text, to: STDERR_FILENO) }

  /// One sentence, which says what to do.
  static func fail(_ sentence: String) -> ExitCode {
    notes("mrtrace: \(sentence)\n")
    return ExitCode(1)
  }

  static func wrongUsage(_ sentence: String) -> ExitCode {
    notes("mrtrace: \(sentence)\n")
    return ExitCode(2)
  }

  /// How to write to `descriptor`.
  static func style(of descriptor: CInt) -> Style {
    let isTerminal = isatty(descriptor) == 1
    var width: Int?
    if isTerminal {
      var size = winsize()
      if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 { width = Int(size.ws_col) }
    }
    return Style(
      isTerminal: isTerminal, noColor: environment("NO_COLOR"), term: environment("TERM"),
      width: width)
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  static func write(_ text: String, to descriptor: CInt) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// A reader that goes away (`| head`) ends the output, not the program.
  static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) {
    var rest = bytes
    while !rest.isEmpty {
      let n = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if n < 0 && errno == EINTR { continue }
      guard n > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[n...])
    }
  }
}
