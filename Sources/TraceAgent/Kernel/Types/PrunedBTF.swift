// SPDX-License-Identifier: Apache-2.0

/// The types of some names, and what they are made of, out of those of the kernel and of some of its modules, as one BTF
/// for CO-RE.
///
/// libbpf would read all of them, and compare each of our types' names with each of theirs.
///
/// What a pointer points to is left out: CO-RE asks for a member's place and size, and begins anew behind each pointer.
struct PrunedBTF {
  private(set) var bytes: [UInt8] = []

  private let source: KernelTypes
  /// By file and place: the new id, 0 where it is not kept. Type 0 is void, which no file has.
  private var ids: [[UInt32]]
  private var kept: [(file: Int, place: Int)] = []
  private var types: [UInt8] = []
  private var strings: [UInt8] = [0]

  /// nil where a file is damaged.
  init?(_ source: KernelTypes, names: [String]) {
    self.source = source
    ids = source.files.map { [UInt32](repeating: 0, count: $0.places.count) }
    let wanted = NameTable(names)
    for file in source.files.indices {
      for place in source.files[file].places.indices where isWanted(file, place, wanted) {
        guard keep(file, place) else { return nil }
      }
    }
    // Those that they are made of come behind them, until there is none left.
    var next = 0
    while next < kept.count {
      guard write(kept[next]) else { return nil }
      next += 1
    }
    bytes = [0x9f, 0xeb, 1, 0]
    for value in [24, 0, types.count, types.count, strings.count] {
      guard let value = UInt32(exactly: value) else { return nil }
      append(value, to: &bytes)
    }
    bytes += types
    bytes += strings
  }

  private func isWanted(_ file: Int, _ place: Int, _ wanted: NameTable) -> Bool {
    let at = Int(source.files[file].places[place])
    switch BTFFile.kind(BTFFile.word(source.files[file].bytes, at + 4)) {
    case BTFFile.Kind.integer, BTFFile.Kind.structure, BTFFile.Kind.union, BTFFile.Kind.enumeration,
      BTFFile.Kind.enumeration64, BTFFile.Kind.typedef:
      guard let name = source.name(BTFFile.word(source.files[file].bytes, at), of: file) else {
        return false
      }
      return wanted.find(source.files[name.file].bytes, name.at) != nil
    default: return false
    }
  }

  private mutating func keep(_ file: Int, _ place: Int) -> Bool {
    if ids[file][place] != 0 { return true }
    kept.append((file, place))
    guard let id = UInt32(exactly: kept.count) else { return false }
    ids[file][place] = id
    return true
  }

  /// Where a type of `file` stands, and its new id; nil for an id that no file has.
  private mutating func moved(_ id: UInt32, of file: Int) -> UInt32? {
    if id == 0 { return 0 }
    guard let type = source.type(id, of: file), keep(type.file, type.place) else { return nil }
    return ids[type.file][type.place]
  }

  private mutating func newName(_ offset: UInt32, of file: Int) -> UInt32 {
    guard let name = source.name(offset, of: file) else { return 0 }
    let new = UInt32(truncatingIfNeeded: strings.count)
    // each string ends before its file does
    let text = source.files[name.file].bytes[name.at...].prefix { $0 != 0 }
    strings += text
    strings.append(0)
    return new
  }

  private mutating func write(_ type: (file: Int, place: Int)) -> Bool {
    let file = source.files[type.file]
    let at = Int(file.places[type.place])
    let info = BTFFile.word(file.bytes, at + 4)
    guard let layout = BTFFile.layout(of: BTFFile.kind(info)) else { return false }
    func word(_ index: Int) -> UInt32 { BTFFile.word(file.bytes, at + 4 * index) }
    append(newName(word(0), of: type.file), to: &types)
    append(info, to: &types)
    guard BTFFile.kind(info) != BTFFile.Kind.pointer else {
      append(0, to: &types)
      return true
    }
    var third = word(2)
    if layout.refers {
      guard let id = moved(third, of: type.file) else { return false }
      third = id
    }
    append(third, to: &types)
    for index in 0..<layout.extra {
      var value = word(3 + index)
      if index < layout.extraTypes {
        guard let id = moved(value, of: type.file) else { return false }
        value = id
      }
      append(value, to: &types)
    }
    for member in 0..<BTFFile.members(info) {
      let first = 3 + layout.extra + member * layout.member
      for index in 0..<layout.member {
        var value = word(first + index)
        if index == layout.memberName { value = newName(value, of: type.file) }
        if index == layout.memberType {
          guard let id = moved(value, of: type.file) else { return false }
          value = id
        }
        append(value, to: &types)
      }
    }
    return true
  }

}

private func append(_ value: UInt32, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
}
