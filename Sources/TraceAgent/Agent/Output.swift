// SPDX-License-Identifier: Apache-2.0

import Glibc
import Terminal

/// Writes to the terminal: results to stdout, everything else to stderr.
package enum Output {
  package static func results(_ text: String) { write(text, to: STDOUT_FILENO) }
  package static func notes(_ text: String) { write(text, to: STDERR_FILENO) }

  /// How to write to `descriptor`.
  package static func style(of descriptor: CInt) -> Style {
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

  package static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  package static func write(_ text: String, to descriptor: CInt) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// A reader that goes away (`| head`) ends the output, not the program.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) {
    var rest = bytes
    while !rest.isEmpty {
      let n = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if n < 0 && errno == EINTR { continue }
      guard n > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[n...])
    }
  }
}
