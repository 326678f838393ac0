// SPDX-License-Identifier: Apache-2.0

/// Text in the kernel's fixed-size character arrays: ended by NUL, or by the array.
package enum CText {
  /// Bytes that are not UTF-8 become U+FFFD.
  package static func string(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The text in an imported C array, which is a tuple: `CText.string(in: record.comm)`.
  package static func string<Characters: BitwiseCopyable>(in characters: Characters) -> String {
    withUnsafeBytes(of: characters) { string($0) }
  }

  /// Fills an imported C array with `text`, cut so that a NUL ends it.
  package static func fill<Characters: BitwiseCopyable>(
    _ characters: inout Characters, with text: String
  ) {
    withUnsafeMutableBytes(of: &characters) { array in
      for index in array.indices { array[index] = 0 }
      for (index, byte) in zip(array.indices.dropLast(), text.utf8) { array[index] = byte }
    }
  }
}
