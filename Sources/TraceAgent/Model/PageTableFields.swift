// SPDX-License-Identifier: Apache-2.0

/// A bit or a group of bits of one entry, with what the kernel that wrote it means by them.
package struct EntryField: Equatable, Sendable {
  package var bits: ClosedRange<Int>
  /// As in ``DecodedEntry/flags`` for a flag.
  package var name: String
  /// What stands in the bits, after any inversion; 1 for a flag.
  package var value: UInt64
  package var meaning: String
  package var isFlag: Bool

  init(_ bits: ClosedRange<Int>, _ name: String, _ value: UInt64, _ meaning: String) {
    self.bits = bits
    self.name = name
    self.value = value
    self.meaning = meaning
    isFlag = false
  }

  init(flag bit: Int, _ name: String, _ meaning: String) {
    self.init(bit...bit, name, 1, meaning)
    isFlag = true
  }
}

extension PageTableFormat {
  /// Every bit that is set in `raw`, in fields, lowest first. Each set bit is in exactly one.
  package func fields(_ raw: UInt64, level: PageTableLevel) -> [EntryField] {
    let entry = decode(raw, level: level)
    var writer = FieldWriter(raw: raw)
    switch architecture {
    case .x86_64:
      X86Entry(raw: raw, level: level, format: self).write(entry, into: &writer)
    case .arm64:
      Arm64Entry(raw: raw, level: level, format: self).write(entry, into: &writer)
    }
    return writer.finish()
  }
}

/// Collects fields, and names what is left over.
struct FieldWriter {
  let raw: UInt64
  private var rest: UInt64
  private var fields: [EntryField] = []

  init(raw: UInt64) {
    self.raw = raw
    rest = raw
  }

  private func mask(_ bits: ClosedRange<Int>) -> UInt64 {
    (UInt64.max >> UInt64(63 - bits.count + 1)) << UInt64(bits.lowerBound)
  }

  func has(_ bit: Int) -> Bool { raw >> UInt64(bit) & 1 != 0 }

  func value(_ bits: ClosedRange<Int>) -> UInt64 { (raw & mask(bits)) >> UInt64(bits.lowerBound) }

  mutating func flag(_ bit: Int, _ name: String, _ meaning: String) {
    guard has(bit) else { return }
    fields.append(EntryField(flag: bit, name, meaning))
    rest &= ~(1 << UInt64(bit))
  }

  /// A group that is told whatever it holds.
  mutating func group(
    _ bits: ClosedRange<Int>, _ name: String, value: UInt64? = nil, _ meaning: String
  ) {
    fields.append(EntryField(bits, name, value ?? self.value(bits), meaning))
    rest &= ~mask(bits)
  }

  /// Bits that are set and have no name, each run of them as one field.
  mutating func finish(_ meaning: String = "no meaning in this kernel") -> [EntryField] {
    var bit = 0
    while bit < 64 {
      guard rest >> UInt64(bit) & 1 != 0 else {
        bit += 1
        continue
      }
      var end = bit
      while end < 63, rest >> UInt64(end + 1) & 1 != 0 { end += 1 }
      fields.append(EntryField(bit...end, "?", value(bit...end), meaning))
      bit = end + 1
    }
    rest = 0
    return fields.sorted { $0.bits.lowerBound < $1.bits.lowerBound }
  }
}

extension PageTableLevel {
  /// "4 KiB", what one leaf entry of this level maps.
  package var leafSize: String {
    switch self {
    case .pte: "4 KiB"
    case .pmd: "2 MiB"
    case .pud: "1 GiB"
    case .p4d: "512 GiB"
    case .pgd: "256 TiB"
    }
  }
}

extension DecodedEntry {
  func frameMeaning(_ what: String) -> String {
    guard let pfn else { return what }
    return "\(what) 0x\(String(pfn, radix: 16)), physical address 0x\(String(pfn << 12, radix: 16))"
  }
}

extension SwapTypes {
  func typeMeaning(_ kind: DecodedEntry.Kind) -> String {
    switch kind {
    case .swap(let type): "swap file number \(type)"
    case .bad: "no type of this kernel"
    default: kind.softName.isEmpty ? "" : kind.softMeaning
    }
  }
}

extension DecodedEntry.Kind {
  package var isMigration: Bool {
    switch self {
    case .migrationRead, .migrationReadExclusive, .migrationWrite: true
    default: false
    }
  }

  /// A word for scripts.
  package var name: String {
    switch self {
    case .none: "none"
    case .present: "present"
    case .table: "table"
    case .protnone: "protnone"
    case .bad: "bad"
    case .marker: "marker"
    case .swap: "swap"
    case .hwpoison: "hwpoison"
    case .migrationRead, .migrationReadExclusive, .migrationWrite: "migration"
    case .devicePrivateRead, .devicePrivateWrite: "device-private"
    case .deviceExclusive: "device-exclusive"
    case .swapinError: "swapin-error"
    }
  }

  /// What an entry that is not present stands for, in words.
  package var meaning: String {
    if case .marker(let marker) = self { return "a marker (\(marker.meaning))" }
    return softMeaning
  }

  /// The same by its type alone.
  var softMeaning: String {
    switch self {
    case .swap: "swapped out"
    case .migrationRead: "being migrated; comes back read-only"
    case .migrationReadExclusive: "being migrated; comes back read-only, page exclusive to it"
    case .migrationWrite: "being migrated; comes back writable"
    case .hwpoison: "memory with a hardware error, data lost"
    case .devicePrivateRead: "in the memory of a device; comes back read-only"
    case .devicePrivateWrite: "in the memory of a device; comes back writable"
    case .deviceExclusive: "a device has exclusive access for atomic operations"
    case .swapinError: "could not be read back from swap"
    case .marker: "a marker: no page"
    case .none, .present, .table, .protnone, .bad: ""
    }
  }
}

extension PTEMarker {
  /// What each known bit says; others by number.
  var meaning: String {
    var parts: [String] = []
    if contains(.uffdWP) {
      parts.append("UFFD_WP: userfaultfd write-protects the page once it is there")
    }
    if contains(.poisoned) { parts.append("POISONED: the data is lost") }
    if contains(.guardRegion) { parts.append("GUARD: madvise(MADV_GUARD_INSTALL)") }
    let rest = rawValue & ~7
    if rest != 0 { parts.append("0x\(String(rest, radix: 16)): not known") }
    return parts.isEmpty ? "no marker bit set" : parts.joined(separator: "; ")
  }
}
