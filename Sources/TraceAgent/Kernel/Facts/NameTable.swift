// SPDX-License-Identifier: Apache-2.0

/// Names to look for among very many, without making a string of any.
struct NameTable {
  private let names: [[UInt8]]
  /// Places of names.
  private var buckets: [[Int]]
  /// By their first two letters, a bit each: enough to pass over most names.
  private var beginnings = [UInt64](repeating: 0, count: 1024)

  init(_ names: some Sequence<String>) {
    self.names = names.map { Array($0.utf8) }
    buckets = Array(repeating: [], count: 1024)
    for (place, name) in self.names.enumerated() {
      let bucket = (name + [0]).withUnsafeBytes { Self.bucket(of: $0, at: 0) }
      buckets[bucket].append(place)
      let first = Int(name.first ?? 0) | Int(name.dropFirst().first ?? 0) << 8
      // one of a single letter may have "___" behind it
      for beginning in name.count == 1 ? [first, first | Int(UInt8(ascii: "_")) << 8] : [first] {
        beginnings[beginning >> 6] |= 1 << UInt64(beginning & 63)
      }
    }
  }

  /// Which of them, by its place, the name is that begins there: as CO-RE compares, without what follows "___". nil: none.
  func find(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    guard at + 1 < bytes.count else { return nil }
    let beginning = Int(bytes[at]) | Int(bytes[at + 1]) << 8
    guard beginnings[beginning >> 6] & 1 << UInt64(beginning & 63) != 0 else { return nil }
    for place in buckets[Self.bucket(of: bytes, at: at)] where isSame(names[place], bytes, at) {
      return place
    }
    return nil
  }

  private func isSame(_ name: [UInt8], _ bytes: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    let end = at + name.count
    guard end < bytes.count else { return false }
    for index in name.indices where bytes[at + index] != name[index] { return false }
    return bytes[end] == 0
      || end + 3 < bytes.count && bytes[end..<end + 3].allSatisfy { $0 == UInt8(ascii: "_") }
  }

  /// By the first letters: what follows "___" must not matter.
  private static func bucket(of bytes: UnsafeRawBufferPointer, at start: Int) -> Int {
    var hash: UInt32 = 0
    for index in start..<min(start + 12, bytes.count) {
      let byte = bytes[index]
      if byte == 0 { break }
      if byte == UInt8(ascii: "_"), index + 2 < bytes.count,
        bytes[index + 1] == UInt8(ascii: "_"), bytes[index + 2] == UInt8(ascii: "_")
      {
        break
      }
      hash = hash &* 31 &+ UInt32(byte)
    }
    return Int(hash & 1023)
  }
}
