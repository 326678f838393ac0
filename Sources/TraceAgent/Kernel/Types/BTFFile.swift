// SPDX-License-Identifier: Apache-2.0

/// One file of /sys/kernel/btf: the kernel's types, or those that a module adds to them, in order of their ids.
///
/// Every number in it is looked at before it is used: nothing here trusts a file, though the kernel wrote it.
struct BTFFile {
  /// What stands behind a type's three words (include/uapi/linux/btf.h), and which of its words are a name or a type.
  struct Layout {
    /// The third word is a type, not a size.
    var refers = false
    /// Words behind the head, once.
    var extra = 0
    /// Of those, types: an array's element and index come first.
    var extraTypes = 0
    /// Words for each of `vlen` members; where in them name and type stand.
    var member = 0
    var memberName: Int?
    var memberType: Int?
  }

  enum Kind {
    static let integer: UInt32 = 1
    static let pointer: UInt32 = 2
    static let structure: UInt32 = 4
    static let union: UInt32 = 5
    static let enumeration: UInt32 = 6
    static let typedef: UInt32 = 8
    static let function: UInt32 = 12
    static let enumeration64: UInt32 = 19
  }

  let bytes: UnsafeRawBufferPointer
  /// Whose bytes they are.
  private let file: FileBytes
  /// Where each type begins.
  private(set) var places: [UInt32] = []
  let strings: Range<Int>

  /// nil where the file is damaged, or has kinds of types that are not known here.
  init?(_ file: FileBytes) {
    self.file = file
    let bytes = file.bytes
    self.bytes = bytes
    func word(_ at: Int) -> Int { Int(Self.word(bytes, at)) }
    guard bytes.count >= 24, bytes[0] == 0x9f, bytes[1] == 0xeb, bytes[2] == 1 else { return nil }
    let header = word(4)
    let types = header + word(8)..<header + word(8) + word(12)
    strings = header + word(16)..<header + word(16) + word(20)
    guard types.upperBound <= bytes.count, strings.upperBound <= bytes.count,
      strings.isEmpty || bytes[strings.upperBound - 1] == 0
    else { return nil }
    places.reserveCapacity(types.count / 30)
    var at = types.lowerBound
    while at < types.upperBound {
      guard at + 12 <= types.upperBound else { return nil }
      let info = Self.word(bytes, at + 4)
      guard let layout = Self.layout(of: Self.kind(info)) else { return nil }
      places.append(UInt32(truncatingIfNeeded: at))
      at += Self.size(layout, info)
      guard at <= types.upperBound else { return nil }
    }
  }

  static func kind(_ info: UInt32) -> UInt32 { info >> 24 & 0x1f }
  static func members(_ info: UInt32) -> Int { Int(info & 0xffff) }
  static func size(_ layout: Layout, _ info: UInt32) -> Int {
    12 + 4 * (layout.extra + members(info) * layout.member)
  }

  /// Its place has been looked at.
  static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  static func layout(of kind: UInt32) -> Layout? {
    switch kind {
    case 1: Layout(extra: 1)  // INT
    case 2, 8, 9, 10, 11, 12, 18: Layout(refers: true)  // PTR … TYPE_TAG
    case 3: Layout(extra: 3, extraTypes: 2)  // ARRAY
    case 4, 5: Layout(member: 3, memberName: 0, memberType: 1)  // STRUCT, UNION
    case 6: Layout(member: 2, memberName: 0)  // ENUM
    case 7, 16: Layout()  // FWD, FLOAT
    case 13: Layout(refers: true, member: 2, memberName: 0, memberType: 1)  // FUNC_PROTO
    case 14, 17: Layout(refers: true, extra: 1)  // VAR, DECL_TAG
    case 15: Layout(member: 3, memberType: 0)  // DATASEC
    case 19: Layout(member: 3, memberName: 0)  // ENUM64
    default: nil
    }
  }
}
