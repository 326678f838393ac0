// SPDX-License-Identifier: Apache-2.0

/// The identity that binds a recording's packets to its metadata: 16 random bytes (RFC 4122,
/// version 4).
struct TraceUUID: Equatable, Sendable {
  let bytes: [UInt8]

  static let size = 16

  static func random() -> TraceUUID {
    var bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    return TraceUUID(bytes: bytes)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads "01234567-89ab-…"; nil for anything else.
  init?(_ text: String) {
    let digits = text.filter { $0 != "-" }.utf8
    guard digits.count == 2 * Self.size else { return nil }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      guard let byte = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    self.bytes = bytes
  }

  var text: String {
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }
}
