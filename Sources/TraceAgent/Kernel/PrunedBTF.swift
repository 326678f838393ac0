// SPDX-License-Identifier: Apache-2.0

/// The types of some names, and what they are made of, out of those of the kernel and of some of its modules, as one BTF
/// for CO-RE.
///
/// libbpf compares each of our types' names with each of the kernel's 150,000: a hundred times the work of this. And the
/// kernel hands out a module's BTF by id to CAP_SYS_ADMIN alone, while the files in /sys/kernel/btf are readable for all; of
/// a module, one holds only what the kernel's does not: its ids and string offsets go on where those of vmlinux end.
///
/// What a pointer points to is left out: CO-RE asks for a member's place and size, and begins anew behind each pointer.
struct PrunedBTF {
  private(set) var bytes: [UInt8] = []

  private let files: [BTFFile]
  /// By file and place: the new id, 0 where it is not kept. Type 0 is void, which no file has.
  private var ids: [[UInt32]]
  private var kept: [(file: Int, place: Int)] = []
  private var types: [UInt8] = []
  private var strings: [UInt8] = [0]

  /// nil where a file is damaged, or has kinds of types that are not known here.
  init?(kernel: [UInt8], modules: [[UInt8]], names: [String]) {
    guard let base = BTFFile(kernel) else { return nil }
    var files = [base]
    for module in modules {
      guard let file = BTFFile(module) else { return nil }
      files.append(file)
    }
    self.files = files
    ids = files.map { [UInt32](repeating: 0, count: $0.places.count) }
    let wanted = NameTable(names)
    for file in files.indices {
      for place in files[file].places.indices where isWanted(file, place, wanted) {
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
    let at = Int(files[file].places[place])
    switch BTFFile.kind(BTFFile.word(files[file].bytes, at + 4)) {
    case BTFFile.Kind.integer, BTFFile.Kind.structure, BTFFile.Kind.union, BTFFile.Kind.enumeration,
      BTFFile.Kind.enumeration64, BTFFile.Kind.typedef:
      guard let name = name(BTFFile.word(files[file].bytes, at), of: file) else { return false }
      return wanted.holds(files[name.file].bytes, name.at)
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
    var (place, holder) = (Int(id) - 1, 0)
    if place >= files[0].places.count {
      place -= files[0].places.count
      holder = file
    }
    guard holder != 0 || Int(id) <= files[0].places.count, place < files[holder].places.count,
      keep(holder, place)
    else { return nil }
    return ids[holder][place]
  }

  /// Where the name at `offset` of the strings of `file` stands; nil where it is empty or none.
  private func name(_ offset: UInt32, of file: Int) -> (file: Int, at: Int)? {
    var (offset, holder) = (Int(offset), 0)
    guard offset != 0 else { return nil }
    if offset >= files[0].strings.count {
      offset -= files[0].strings.count
      holder = file
    }
    guard holder != 0 || offset < files[0].strings.count, offset < files[holder].strings.count
    else { return nil }
    return (holder, files[holder].strings.lowerBound + offset)
  }

  private mutating func newName(_ offset: UInt32, of file: Int) -> UInt32 {
    guard let name = name(offset, of: file) else { return 0 }
    let new = UInt32(truncatingIfNeeded: strings.count)
    // each string ends before its file does
    let text = files[name.file].bytes[name.at...].prefix { $0 != 0 }
    strings += text
    strings.append(0)
    return new
  }

  private mutating func write(_ type: (file: Int, place: Int)) -> Bool {
    let file = files[type.file]
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

/// Names to look for among very many, without making a string of any.
private struct NameTable {
  private var buckets: [[[UInt8]]]

  init(_ names: [String]) {
    buckets = Array(repeating: [], count: 1024)
    for name in names {
      let bytes = Array(name.utf8)
      let bucket = Self.bucket(of: bytes + [0], at: 0)
      if !buckets[bucket].contains(bytes) { buckets[bucket].append(bytes) }
    }
  }

  /// Whether the name that begins there is one of them: as CO-RE compares, without what follows "___".
  func holds(_ bytes: [UInt8], _ at: Int) -> Bool {
    let bucket = buckets[Self.bucket(of: bytes, at: at)]
    return !bucket.isEmpty
      && bucket.contains { name in
        guard at + name.count < bytes.count else { return false }
        for index in name.indices where bytes[at + index] != name[index] { return false }
        let end = at + name.count
        return bytes[end] == 0
          || end + 3 < bytes.count && bytes[end..<end + 3].allSatisfy { $0 == UInt8(ascii: "_") }
      }
  }

  /// By the first letters: what follows "___" must not matter.
  private static func bucket(of bytes: [UInt8], at start: Int) -> Int {
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
