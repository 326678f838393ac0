// SPDX-License-Identifier: Apache-2.0

/// The named mappings of a process, as /proc/PID/maps tells them.
struct ProcessMaps: Sendable {
  struct Mapping: Equatable, Sendable {
    var start: UInt64
    var end: UInt64
    var offset: UInt64
    /// Of the file, without its directory; "[heap]".
    var name: String
  }

  private(set) var mappings: [Mapping] = []

  /// Of this process; empty where it has gone.
  init(of pid: UInt32) { self.init(TextFile.bytes("/proc/\(pid)/maps") ?? []) }

  /// Bytes, because text of this size, often, costs more than all the rest of a failure.
  init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if let mapping = Self.mapping(line) { mappings.append(mapping) }
    }
  }

  /// "libibverbs.so.1+0x1a2b": file and offset in it, as addr2line and perf take them.
  func name(of address: UInt64) -> String? {
    guard let found = mappings.first(where: { $0.start <= address && address < $0.end }) else {
      return nil
    }
    return "\(found.name)+0x\(String(address - found.start &+ found.offset, radix: 16))"
  }

  /// "7f1c-7f1e r-xp 00001000 fe:00 1234      /usr/lib/libc.so.6"; nil: no such line, or without a name.
  private static func mapping(_ line: ArraySlice<UInt8>) -> Mapping? {
    var rest = line
    guard let start = hexadecimal(&rest), rest.popFirst() == UInt8(ascii: "-"),
      let end = hexadecimal(&rest), start <= end, skipWord(&rest), skipWord(&rest),
      let offset = hexadecimal(&rest), skipWord(&rest), skipWord(&rest), skipWord(&rest)
    else { return nil }
    let slash = rest.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { rest[($0 + 1)...] } ?? rest
    guard !rest.isEmpty else { return nil }
    return Mapping(
      start: start, end: end, offset: offset,
      name: String(decoding: name.isEmpty ? rest : name, as: UTF8.self))
  }

  /// To the beginning of the next word. False: there is none.
  private static func skipWord(_ text: inout ArraySlice<UInt8>) -> Bool {
    text = text.drop { $0 != UInt8(ascii: " ") }.drop { $0 == UInt8(ascii: " ") }
    return !text.isEmpty
  }

  private static func hexadecimal(_ text: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    while let byte = text.first, digits < 16 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return digits > 0 ? value : nil
      }
      value = value << 4 | UInt64(digit)
      digits += 1
      text = text.dropFirst()
    }
    return digits > 0 ? value : nil
  }
}
