// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model

/// What a command would have written to the terminal while the screen is on it: held back, and
/// written when the screen has gone. A class, since it is there or not.
final class HeldOutput {
  /// More than this of its end is not kept.
  private static let limit = 1 << 20

  let reading: CInt
  private(set) var writing: CInt
  private var bytes: [UInt8] = []
  private var dropped = 0

  init() throws(KernelError) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw .system(call: "pipe", errno: Errno(rawValue: errno))
    }
    (reading, writing) = (ends[0], ends[1])
    // The command's end blocks, as a terminal would.
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  deinit {
    close(reading)
    if writing >= 0 { close(writing) }
  }

  /// The command has its copy.
  func started() {
    close(writing)
    writing = -1
  }

  /// Takes what has come. False: no more will.
  func read() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(reading, &buffer, buffer.count)
      if count == 0 { return false }
      guard count > 0 else { return true }
      bytes += buffer[..<count]
      if bytes.count > 2 * Self.limit {
        dropped += bytes.count - Self.limit
        bytes.removeFirst(bytes.count - Self.limit)
      }
    }
  }

  /// Writes it all.
  func release(to descriptor: CInt) {
    _ = read()
    if dropped > 0 {
      Output.notes("mrtrace: the first \(dropped) bytes of the command's output are left out\n")
    }
    bytes.withUnsafeBytes { Output.write($0, to: descriptor) }
    bytes = []
  }
}
