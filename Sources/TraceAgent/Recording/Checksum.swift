// SPDX-License-Identifier: Apache-2.0

import CRecording

/// CRC-32C, of packets and of metadata: a flipped bit must not be told as a fact.
enum Checksum {
  static func of(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32 = 0) -> UInt32 {
    crecording_crc32c(checksum, bytes.baseAddress, bytes.count)
  }

  static func of(_ bytes: RawSpan) -> UInt32 { bytes.withUnsafeBytes { of($0) } }
}

/// The checksum in the metadata: a comment in its second line, of all that follows.
enum MetadataChecksum {
  private static let head = TSDLText.signature + " */\n/* crc32c "
  private static let tail = " */\n"
  private static let digits = 8

  /// `text`, which begins with its first line, with a checksum; one that is there is replaced.
  static func seal(_ text: String) -> String {
    var rest = Array(text.utf8)
    if rest.starts(with: head.utf8) {
      rest.removeFirst(min(head.utf8.count + digits + tail.utf8.count, rest.count))
    } else if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      rest.removeFirst(end + 1)
    }
    let checksum = String(Checksum.of(rest.span.bytes), radix: 16)
    let zeros = String(repeating: "0", count: digits - checksum.utf8.count)
    return head + zeros + checksum + tail + String(decoding: rest, as: UTF8.self)
  }

  /// Whether the checksum is right; nil where there is none, as before format 1.2.
  static func isRight(_ text: [UInt8]) -> Bool? {
    guard text.starts(with: head.utf8) else { return nil }
    let rest = text[head.utf8.count...]
    let number = UInt32(String(decoding: rest.prefix(digits), as: UTF8.self), radix: 16)
    guard let number, rest.dropFirst(digits).starts(with: tail.utf8) else { return false }
    return number == Checksum.of(Array(rest.dropFirst(digits + tail.utf8.count)).span.bytes)
  }
}
