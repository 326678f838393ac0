// SPDX-License-Identifier: Apache-2.0

import Events

/// A task's name as the kernel has it: 16 bytes, of which those from the first NUL on do not count.
struct Comm: Hashable, Sendable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init() {}

  /// From an imported C array of 16 bytes.
  init<Characters: BitwiseCopyable>(_ characters: Characters) {
    withUnsafeBytes(of: characters) { bytes in
      guard bytes.count >= 16 else { return }
      low = bytes.loadUnaligned(as: UInt64.self)
      high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }
  }

  /// No name.
  var isEmpty: Bool { low & 0xff == 0 }

  var text: String { CText.string(in: (low, high)) }
}

/// The same, and as text.
struct CommName: Sendable {
  /// nil where only the text is known.
  var comm: Comm?
  var text: String

  init(_ comm: Comm) {
    self.comm = comm
    text = comm.text
  }

  init(text: String) { self.text = text }
}
