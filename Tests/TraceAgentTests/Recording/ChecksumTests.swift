// SPDX-License-Identifier: Apache-2.0

import CRecording
import Testing

@testable import Recording

@Suite struct ChecksumTests {
  /// RFC 3720, appendix B.4, and the check value of CRC-32C.
  private static let known: [(bytes: [UInt8], checksum: UInt32)] = [
    (Array("123456789".utf8), 0xE306_9283),
    (Array(repeating: 0, count: 32), 0x8A91_36AA),
    (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
    (Array(0..<32), 0x46DD_794E),
  ]

  @Test(arguments: known) func isCRC32C(bytes: [UInt8], checksum: UInt32) {
    #expect(Checksum.of(bytes.span.bytes) == checksum)
    #expect(crecording_crc32c_table(0, bytes, bytes.count) == checksum)
    for cut in bytes.indices {
      let first = crecording_crc32c(0, bytes, cut)
      #expect(crecording_crc32c(first, Array(bytes[cut...]), bytes.count - cut) == checksum)
    }
  }

  @Test func metadata() {
    let text = "/* CTF 1.8 */\n\nenv { };\n"
    let sealed = MetadataChecksum.seal(text)
    #expect(sealed.hasPrefix("/* CTF 1.8 */\n/* crc32c "))
    #expect(sealed.hasSuffix(" */\n\nenv { };\n"))
    #expect(MetadataChecksum.seal(sealed) == sealed)
    #expect(MetadataChecksum.isRight(Array(text.utf8)) == nil)
    let bytes = Array(sealed.utf8)
    #expect(MetadataChecksum.isRight(bytes) == true)
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(MetadataChecksum.isRight(damaged) != true, "byte \(index)")
      #expect(MetadataChecksum.isRight(Array(bytes[..<index])) != true, "cut at \(index)")
    }
  }
}
