// SPDX-License-Identifier: Apache-2.0

/// Where one generation of arm64 kernels keeps what it adds to the hardware's bits
/// (arch/arm64/include/asm/pgtable-prot.h, pgtable.h): read in the headers of 5.10, 6.1, 6.12 and
/// 7.3, tried on none.
package struct Arm64Layout: Equatable, Sendable {
  /// PTE_PROT_NONE, where VALID is clear; nil: PRESENT_INVALID without USER and with UXN says it.
  var protNoneBit: Int?
  /// PMD_PRESENT_INVALID, PTE_PRESENT_INVALID: present, but closed to the hardware.
  var presentInvalidBit: Int
  var uffdWPBit: Int?
  /// Lowest bit of a swap entry's type.
  var swapTypeShift: Int
  var swapOffsetShift: Int
  var swapExclusiveBit: Int?
  var swapUffdWPBit: Int?
  /// One above the highest bit of the address.
  var addressEnd: Int
  /// PTE_PO_IDX: protection keys.
  var hasKeys: Bool

  package static let v510 = Arm64Layout(
    protNoneBit: 58, presentInvalidBit: 59, uffdWPBit: nil, swapTypeShift: 2, swapOffsetShift: 8,
    swapExclusiveBit: nil, swapUffdWPBit: nil, addressEnd: 48, hasKeys: false)

  /// 5.19 to 6.9.
  package static let v61 = Arm64Layout(
    protNoneBit: 58, presentInvalidBit: 59, uffdWPBit: nil, swapTypeShift: 3, swapOffsetShift: 8,
    swapExclusiveBit: 2, swapUffdWPBit: nil, addressEnd: 48, hasKeys: false)

  /// 6.10 and later; protection keys came in 6.12.
  package static let v612 = Arm64Layout(
    protNoneBit: nil, presentInvalidBit: 11, uffdWPBit: 58, swapTypeShift: 6, swapOffsetShift: 12,
    swapExclusiveBit: 2, swapUffdWPBit: 3, addressEnd: 50, hasKeys: true)
}

extension PageTableFormat {
  mutating func becomeArm64(of release: KernelRelease, devicePrivate: Bool) {
    architecture = .arm64
    savedDirtyBit = nil
    devmapBit = release < KernelRelease(6, 17) ? 57 : nil
    var layout: Arm64Layout
    switch release {
    case KernelRelease(6, 10)...: layout = .v612
    case KernelRelease(5, 19)...: layout = .v61
    default: layout = .v510
    }
    layout.hasKeys = release >= KernelRelease(6, 12)
    arm64 = layout
    hasUffdWP = layout.uffdWPBit != nil
    if (KernelRelease(5, 19)..<KernelRelease(6, 2)).contains(release) {
      swapTypes = devicePrivate ? .v61WithoutMarkersWithDevicePrivate : .v61WithoutMarkers
    }
  }
}

/// One arm64 entry under one kernel's rules, with pages of 4 KiB and physical addresses of 48 bits.
struct Arm64Entry {
  let raw: UInt64
  let level: PageTableLevel
  let format: PageTableFormat
  let layout: Arm64Layout

  init(raw: UInt64, level: PageTableLevel, format: PageTableFormat) {
    self.raw = raw
    self.level = level
    self.format = format
    layout = format.arm64 ?? .v612
  }

  private static let valid = 0
  /// Set in tables and in PTEs, clear in blocks.
  private static let table = 1
  private static let user = 6
  private static let write = 51
  private static let uxn = 54
  private static let special = 56

  var decoded: DecodedEntry {
    let kind = kind
    let isLeaf = kind == .present || kind == .protnone
    return DecodedEntry(
      raw: raw, level: level, kind: kind, flags: flags(of: kind), pfn: pfn(of: kind),
      isWritable: isLeaf
        ? has(Self.write) : kind == .migrationWrite || kind == .devicePrivateWrite,
      isSpecial: isLeaf && has(Self.special), isDevmap: isLeaf && has(format.devmapBit))
  }

  private func has(_ bit: Int?) -> Bool { bit.map { raw >> UInt64($0) & 1 != 0 } ?? false }

  var isValid: Bool { has(Self.valid) }

  /// pte_protnone().
  private var isProtNone: Bool {
    guard !isValid else { return false }
    if let bit = layout.protNoneBit { return has(bit) }
    return has(layout.presentInvalidBit) && !has(Self.user) && has(Self.uxn)
  }

  /// pte_present(), pmd_present().
  private var isPresent: Bool {
    if isValid || has(layout.protNoneBit) { return true }
    // Before 6.10 only PMDs had the bit.
    return has(layout.presentInvalidBit) && (level != .pte || layout.protNoneBit == nil)
  }

  var kind: DecodedEntry.Kind {
    if raw == 0 { return .none }
    switch level {
    case .pte, .pmd:
      guard isPresent else {
        return format.swapTypes.kind(type: swapType, offset: swapOffset)
      }
      if level == .pmd, has(Self.table) { return isValid ? .table : .bad }
      return isProtNone ? .protnone : .present
    case .pud:
      guard isValid else { return .bad }
      return has(Self.table) ? .table : .present
    case .p4d, .pgd:
      return isValid && has(Self.table) ? .table : .bad
    }
  }

  /// The type has 6 bits before 5.19, but MAX_SWAPFILES_SHIFT is 5 on all.
  private var swapType: UInt8 {
    UInt8(truncatingIfNeeded: raw >> UInt64(layout.swapTypeShift)) & 31
  }
  var swapOffset: UInt64 { raw >> UInt64(layout.swapOffsetShift) & (1 << 50 - 1) }
  /// SWP_PFN_BITS with CONFIG_ARM64_PA_BITS=48.
  var frameBits: Int { 36 }

  private func pfn(of kind: DecodedEntry.Kind) -> UInt64? {
    switch kind {
    case .present, .protnone, .table:
      let low: UInt64 = kind == .table ? 12 : level.shift
      let address = raw & (1 << UInt64(layout.addressEnd) - 1) & ~(1 << low - 1)
      return address >> 12
    case .hwpoison, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivateRead,
      .devicePrivateWrite, .deviceExclusive:
      return swapOffset & (1 << UInt64(frameBits) - 1)
    case .none, .swap, .marker, .swapinError, .bad:
      return nil
    }
  }

  /// Names of the bits of a leaf that some kernel sets, lowest first; the address and the memory
  /// attributes are no flags.
  var leafBits: [(bit: Int, name: String)] {
    var bits: [(Int, String)] = [
      (0, "VALID"), (5, "NS"), (6, "USER"), (7, "RDONLY"), (10, "AF"), (11, "NG"), (50, "GP"),
      (51, "WRITE"),
      (52, "CONT"), (53, "PXN"), (54, "UXN"), (55, "DIRTY"), (56, "SPECIAL"),
    ]
    if level == .pte { bits.append((1, "PAGE")) }
    if let bit = format.devmapBit { bits.append((bit, "DEVMAP")) }
    if let bit = layout.uffdWPBit { bits.append((bit, "UFFD_WP")) }
    if !isValid {
      if let bit = layout.protNoneBit { bits.append((bit, "PROT_NONE")) }
      if layout.presentInvalidBit == 11 {
        bits.removeAll { $0.0 == 11 }
        bits.append((11, "PRESENT_INVALID"))
      } else if level != .pte {
        bits.append((layout.presentInvalidBit, "PRESENT_INVALID"))
      }
    }
    return bits.sorted { $0.0 < $1.0 }
  }

  /// Bits of a table entry.
  static let tableBits: [(bit: Int, name: String)] = [
    (0, "VALID"), (1, "TABLE"), (10, "AF"), (59, "PXN"), (60, "UXN"),
  ]

  /// Bits of a swap-type entry that are no part of type and offset.
  func swapBits(of kind: DecodedEntry.Kind) -> [(bit: Int, name: String)] {
    var bits: [(Int, String)] = []
    if case .swap = kind, let bit = layout.swapExclusiveBit { bits.append((bit, "ANON_EXCLUSIVE")) }
    if let bit = layout.swapUffdWPBit { bits.append((bit, "UFFD_WP")) }
    return bits
  }

  private func flags(of kind: DecodedEntry.Kind) -> [String] {
    let key = layout.hasKeys ? raw >> 60 & 7 : 0
    switch kind {
    case .none: return []
    case .present, .protnone: return set(leafBits) + (key != 0 ? ["PKEY\(key)"] : [])
    case .table: return set(Self.tableBits)
    case .bad: return isPresent ? set(leafBits) + ["BAD"] : ["BAD"]
    default: return [kind.softName] + set(swapBits(of: kind))
    }
  }

  private func set(_ bits: [(bit: Int, name: String)]) -> [String] {
    bits.filter { has($0.bit) }.map(\.name)
  }
}
