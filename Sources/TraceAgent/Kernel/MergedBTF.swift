// SPDX-License-Identifier: Apache-2.0

/// The types of the kernel and of some of its modules as one BTF.
///
/// The kernel hands out a module's BTF by id to CAP_SYS_ADMIN alone, and libbpf asks for it that way. The files in
/// /sys/kernel/btf are readable for all, but a module's holds only what the kernel's does not: its ids and string
/// offsets go on where those of vmlinux end. Put behind one another, and moved, they are one BTF for CO-RE.
struct MergedBTF {
  private(set) var bytes: [UInt8] = []

  private struct Parts {
    var types: ArraySlice<UInt8>
    var strings: ArraySlice<UInt8>

    init?(_ file: [UInt8]) {
      func word(_ at: Int) -> Int? { MergedBTF.word(file[...], at).map(Int.init) }
      guard file.count >= 24, file[0] == 0x9f, file[1] == 0xeb, file[2] == 1,
        let header = word(4), let typeOffset = word(8), let typeLength = word(12),
        let stringOffset = word(16), let stringLength = word(20),
        header + typeOffset + typeLength <= file.count,
        header + stringOffset + stringLength <= file.count
      else { return nil }
      types = file[(header + typeOffset)...].prefix(typeLength)
      strings = file[(header + stringOffset)...].prefix(stringLength)
    }
  }

  /// nil where a file is damaged, or has kinds of types that are not known here.
  init?(kernel: [UInt8], modules: [[UInt8]]) {
    guard let base = Parts(kernel), let baseCount = MergedBTF.typeCount(base.types) else {
      return nil
    }
    var types = Array(base.types)
    var strings = Array(base.strings)
    // Type 0 is void, which no file has.
    var count = baseCount
    for module in modules {
      guard let parts = Parts(module),
        let moved = MergedBTF.move(
          parts.types, ids: (from: baseCount + 1, by: count - baseCount),
          strings: (from: base.strings.count, by: strings.count - base.strings.count))
      else { return nil }
      types += moved.types
      strings += parts.strings
      count += moved.count
    }
    bytes = [0x9f, 0xeb, 1, 0]
    for value in [24, 0, types.count, types.count, strings.count] {
      guard let value = UInt32(exactly: value) else { return nil }
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    bytes += types
    bytes += strings
  }

  // MARK: - Types

  /// What stands behind a type's three words (include/uapi/linux/btf.h), and which of its words are a name or a type.
  private struct Layout {
    /// The third word is a type, not a size.
    var refers = false
    /// Words behind the head, once.
    var extra = 0
    /// Of those, types.
    var extraTypes: [Int] = []
    /// Words for each of `vlen` members; where in them name and type stand.
    var member = 0
    var memberName: Int?
    var memberType: Int?
  }

  private static func layout(of kind: UInt32) -> Layout? {
    switch kind {
    case 1: return Layout(extra: 1)  // INT
    case 2, 8, 9, 10, 11, 12, 18: return Layout(refers: true)  // PTR … TYPE_TAG
    case 3: return Layout(extra: 3, extraTypes: [0, 1])  // ARRAY
    case 4, 5: return Layout(member: 3, memberName: 0, memberType: 1)  // STRUCT, UNION
    case 6: return Layout(member: 2, memberName: 0)  // ENUM
    case 7, 16: return Layout()  // FWD, FLOAT
    case 13: return Layout(refers: true, member: 2, memberName: 0, memberType: 1)  // FUNC_PROTO
    case 14, 17: return Layout(refers: true, extra: 1)  // VAR, DECL_TAG
    case 15: return Layout(member: 3, memberType: 0)  // DATASEC
    case 19: return Layout(member: 3, memberName: 0)  // ENUM64
    default: return nil
    }
  }

  private static func typeCount(_ types: ArraySlice<UInt8>) -> Int? {
    var count = 0
    return walk(types) { _, _, _ in count += 1 } ? count : nil
  }

  /// Calls `body` with each type's offset, layout and number of members.
  private static func walk(
    _ types: ArraySlice<UInt8>, _ body: (Int, Layout, Int) -> Void
  ) -> Bool {
    var at = types.startIndex
    while at < types.endIndex {
      guard let info = word(types, at + 4), let layout = layout(of: info >> 24 & 0x1f) else {
        return false
      }
      let members = Int(info & 0xffff)
      let end = at + 12 + 4 * (layout.extra + members * layout.member)
      guard end <= types.endIndex else { return false }
      body(at, layout, members)
      at = end
    }
    return true
  }

  private static func move(
    _ types: ArraySlice<UInt8>, ids: (from: Int, by: Int), strings: (from: Int, by: Int)
  ) -> (types: [UInt8], count: Int)? {
    var moved = Array(types)
    func add(_ amount: Int, to at: Int, from first: Int) {
      guard let old = word(moved[...], at).map(Int.init), old >= first,
        let new = UInt32(exactly: old + amount)
      else { return }
      for byte in 0..<4 { moved[at + byte] = UInt8(truncatingIfNeeded: new >> UInt32(8 * byte)) }
    }
    var count = 0
    let whole = walk(moved[...]) { at, layout, members in
      count += 1
      add(strings.by, to: at, from: strings.from)
      if layout.refers { add(ids.by, to: at + 8, from: ids.from) }
      let extra = at + 12
      for index in layout.extraTypes { add(ids.by, to: extra + 4 * index, from: ids.from) }
      for index in 0..<members {
        let member = extra + 4 * (layout.extra + index * layout.member)
        if let name = layout.memberName {
          add(strings.by, to: member + 4 * name, from: strings.from)
        }
        if let type = layout.memberType { add(ids.by, to: member + 4 * type, from: ids.from) }
      }
    }
    return whole ? (moved, count) : nil
  }

  private static func word(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32? {
    guard at >= bytes.startIndex, at + 4 <= bytes.endIndex else { return nil }
    return bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: at - bytes.startIndex, as: UInt32.self))
    }
  }
}
