// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// What /proc/kallsyms says of the names we ask for. The file has some 200 000 lines: it is read once, and only
/// wanted names are kept.
package struct KernelSymbols: Equatable, Sendable {
  package struct Symbol: Equatable, Sendable {
    package var address: UInt64
    /// nil for vmlinux.
    package var module: String?
    package init(address: UInt64, module: String?) {
      self.address = address
      self.module = module
    }
  }

  package private(set) var symbols: [String: Symbol]

  package init(_ symbols: [String: Symbol]) { self.symbols = symbols }

  package subscript(name: String) -> Symbol? { symbols[name] }
  /// There are names, but no addresses: kernel.kptr_restrict.
  package var areHidden: Bool { !symbols.values.contains { $0.address != 0 } }
  package func has(_ name: String) -> Bool { symbols[name] != nil }

  /// A compiler-made copy of a function: `name.isra.0`, `name.constprop.0` and the like; not a piece of one
  /// (`name.cold`, `name.part.0`), which its callers do not pass through every time.
  package func clone(of name: String) -> String? {
    symbols.keys.filter {
      $0.hasPrefix("\(name).") && !$0.contains(".cold") && !$0.contains(".part")
    }
    .min()
  }

  /// /proc/kallsyms shows zeros for addresses. The first symbols are those of per-CPU data, which begin at zero:
  /// what counts is whether any of some hundreds has an address. The kernel takes 3000 instructions to print a line.
  package static func areHidden(in path: String = "/proc/kallsyms") -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return true }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    var parser = KallsymsParser()
    var hidden = true
    while hidden, parser.lines < 512 {
      let n = Glibc.read(file, &buffer, buffer.count)
      guard n > 0 else { break }
      buffer.withUnsafeBytes { bytes in
        parser.feed(UnsafeRawBufferPointer(rebasing: bytes[..<n])) { address, _, _ in
          if address != 0 { hidden = false }
        }
      }
    }
    return hidden
  }

  /// Reads the wanted names, and clones of them (`name.isra.0`): as the kernel picks them out, or, where it does not, out of
  /// the whole file.
  package static func read(
    wanted: Set<String>, from path: String = "/proc/kallsyms"
  ) throws(KernelError) -> KernelSymbols {
    if path == "/proc/kallsyms" {
      var picked = WantedLines(wanted)
      if WantedSymbols.forEachChunk(of: wanted, { picked.take($0) }), !picked.found.isEmpty {
        return KernelSymbols(picked.found)
      }
    }
    var all = WantedLines(wanted)
    try TextFile.forEachChunk(of: path) { all.take($0) }
    guard all.parser.lines > 0 else { throw .symbolsUnreadable(.noent) }
    return KernelSymbols(all.found)
  }

  /// What is wanted of the lines that pass by.
  private struct WantedLines {
    let wanted: Set<String>
    /// A hash of the name up to its first dot is enough to pass over nearly all lines.
    let hashes: Set<UInt64>
    var parser = KallsymsParser()
    var found: [String: Symbol] = [:]

    init(_ wanted: Set<String>) {
      self.wanted = wanted
      hashes = Set(wanted.map { KallsymsParser.hash(of: $0) })
    }

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
      var found = found
      self.found = [:]
      parser.feed(chunk) { address, nameHash, line in
        guard hashes.contains(nameHash) else { return }
        guard let (name, module) = KallsymsParser.nameAndModule(line) else { return }
        let stem = name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? name
        guard wanted.contains(stem) else { return }
        if found[name] == nil { found[name] = Symbol(address: address, module: module) }
      }
      self.found = found
    }
  }

  /// Names for kernel addresses: the symbol at or below each, "name+0x12". One pass over the file.
  package static func names(
    of addresses: Set<UInt64>, from path: String = "/proc/kallsyms"
  ) -> [UInt64: String] {
    guard !addresses.isEmpty else { return [:] }
    let sorted = addresses.sorted()
    var best = [(address: UInt64, name: String)?](repeating: nil, count: sorted.count)
    var parser = KallsymsParser()
    try? TextFile.forEachChunk(of: path) { chunk in
      parser.feed(chunk) { address, _, line in
        guard address > 0 else { return }
        // every wanted address at or above this symbol, as long as it is nearer than what we have
        var index = lowerBound(sorted, address)
        while index < sorted.count {
          if let known = best[index], known.address >= address { break }
          guard sorted[index] - address < 1 << 20 else { break }
          if let (name, _) = KallsymsParser.nameAndModule(line) { best[index] = (address, name) }
          index += 1
        }
      }
    }
    var names: [UInt64: String] = [:]
    for (address, symbol) in zip(sorted, best) {
      guard let symbol else { continue }
      names[address] = "\(symbol.name)+0x\(String(address - symbol.address, radix: 16))"
    }
    return names
  }

  private static func lowerBound(_ sorted: [UInt64], _ value: UInt64) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Lines of /proc/kallsyms ("ffffffff81000000 T _text", "… t name\t[module]") out of chunks cut anywhere.
struct KallsymsParser {
  private var rest: [UInt8] = []
  private(set) var lines = 0

  /// Calls `line` with address, hash of the name up to its first dot, and the bytes from the name on.
  mutating func feed(
    _ chunk: UnsafeRawBufferPointer, _ line: (UInt64, UInt64, UnsafeRawBufferPointer) -> Void
  ) {
    var start = 0
    if !rest.isEmpty {
      guard let newline = chunk.firstIndex(of: UInt8(ascii: "\n")) else {
        rest.append(contentsOf: chunk)
        return
      }
      rest.append(contentsOf: chunk[..<newline])
      rest.withUnsafeBytes { parse($0, line) }
      rest.removeAll(keepingCapacity: true)
      start = newline + 1
    }
    var index = start
    while index < chunk.count {
      if chunk[index] == UInt8(ascii: "\n") {
        parse(UnsafeRawBufferPointer(rebasing: chunk[start..<index]), line)
        start = index + 1
      }
      index += 1
    }
    if start < chunk.count { rest.append(contentsOf: chunk[start...]) }
  }

  private mutating func parse(
    _ bytes: UnsafeRawBufferPointer, _ line: (UInt64, UInt64, UnsafeRawBufferPointer) -> Void
  ) {
    lines += 1
    var address: UInt64 = 0
    var index = 0
    while index < bytes.count, bytes[index] != UInt8(ascii: " ") {
      let digit = bytes[index]
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return
      }
      address = address << 4 | UInt64(value)
      index += 1
    }
    // A module that is being loaded shows what it takes from others as well, under its own name.
    guard index + 3 < bytes.count, bytes[index + 1] | 0x20 != UInt8(ascii: "u") else { return }
    index += 3  // " T "
    let name = UnsafeRawBufferPointer(rebasing: bytes[index...])
    line(address, KallsymsParser.hash(of: name), name)
  }

  static func nameAndModule(_ bytes: UnsafeRawBufferPointer) -> (String, String?)? {
    let text = String(decoding: bytes, as: UTF8.self)
    let parts = text.split(separator: "\t", maxSplits: 1)
    guard let name = parts.first else { return nil }
    guard parts.count == 2 else { return (String(name), nil) }
    return (String(name), String(parts[1].drop(while: { $0 == "[" }).prefix(while: { $0 != "]" })))
  }

  static func hash(of name: String) -> UInt64 {
    var name = name
    return name.withUTF8 { hash(of: UnsafeRawBufferPointer($0)) }
  }

  /// FNV-1a over the name up to its first dot or tab.
  static func hash(of name: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name {
      if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "\t") { break }
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return hash
  }
}
