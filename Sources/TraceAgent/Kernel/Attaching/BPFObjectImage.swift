// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The compiled BPF object, embedded by the build-tool plugin (bpf/plugin): packed (gzip), as base64.
enum BPFObjectImage {
  /// The ELF image of bpf/mrtrace.bpf.c.
  static func bytes() -> [UInt8] { decode(mrtrace) }

  static func decode(_ base64: StaticString) -> [UInt8] { unpack(unbase64(base64)) }

  static func unpack(_ packed: [UInt8]) -> [UInt8] {
    // gzip ends with the size of what was packed
    guard let last = packed.suffix(4).last, packed.count >= 18 else { return [] }
    let size = packed.suffix(4).dropLast().reversed().reduce(Int(last)) { $0 << 8 | Int($1) }
    return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      count = packed.withUnsafeBytes {
        Int(cgzip_unpack($0.baseAddress, UInt($0.count), bytes.baseAddress, UInt(size)))
      }
    }
  }

  static func unbase64(_ base64: StaticString) -> [UInt8] {
    let text = UnsafeBufferPointer(start: base64.utf8Start, count: base64.utf8CodeUnitCount)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var held = 0
    for character in text {
      let value: UInt32
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(character - UInt8(ascii: "A"))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(character - UInt8(ascii: "a")) + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(character - UInt8(ascii: "0")) + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: continue  // padding
      }
      bits = bits << 6 | value
      held += 6
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
      }
    }
    return bytes
  }
}
