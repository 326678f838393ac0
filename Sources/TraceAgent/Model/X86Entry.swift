// SPDX-License-Identifier: Apache-2.0

/// One x86-64 entry under one kernel's rules.
struct X86Entry {
  let raw: UInt64
  let level: PageTableLevel
  let format: PageTableFormat

  private static let present: UInt64 = 1 << 0
  private static let rw: UInt64 = 1 << 1
  private static let user: UInt64 = 1 << 2
  private static let accessed: UInt64 = 1 << 5
  private static let dirty: UInt64 = 1 << 6
  private static let leaf: UInt64 = 1 << 7
  /// GLOBAL where PRESENT is set, else PROTNONE.
  private static let protnone: UInt64 = 1 << 8
  private static let special: UInt64 = 1 << 9
  private static let noExecute: UInt64 = 1 << 63
  /// Bits of the physical address, encryption bit included.
  private static let address: UInt64 = 0x000f_ffff_ffff_f000
  /// _KERNPG_TABLE without the encryption bit: PRESENT RW ACCESSED DIRTY.
  private static let kernelTable: UInt64 = 0x63

  var decoded: DecodedEntry {
    let kind = kind
    let isLeaf = kind == .present || kind == .protnone
    return DecodedEntry(
      raw: raw, level: level, kind: kind, flags: flags(of: kind), pfn: pfn(of: kind),
      isWritable: isLeaf ? has(Self.rw) : writesWhenBack(kind),
      isSpecial: isLeaf && has(Self.special), isDevmap: isLeaf && hasDevmap)
  }

  private func has(_ bit: UInt64) -> Bool { raw & bit != 0 }

  var isPresent: Bool { has(Self.present) }

  private var hasDevmap: Bool { format.devmapBit.map { has(1 << UInt64($0)) } ?? false }

  /// The entry keeps write permission for when the page is back.
  private func writesWhenBack(_ kind: DecodedEntry.Kind) -> Bool {
    kind == .migrationWrite || kind == .devicePrivateWrite
  }

  private var kind: DecodedEntry.Kind {
    // A processor erratum can set ACCESSED and DIRTY in an empty entry (_PAGE_KNL_ERRATUM_MASK).
    if raw & ~(Self.accessed | Self.dirty) == 0 { return .none }
    switch level {
    case .pte:
      if has(Self.present) { return .present }
      return has(Self.protnone) ? .protnone : nonPresent
    case .pmd:
      // PSE stays while a split clears PRESENT for a moment: pmd_present() counts it.
      guard raw & (Self.present | Self.protnone | Self.leaf) != 0 else { return nonPresent }
      if !has(Self.leaf) && !hasDevmap { return isBadPMD ? .bad : .table }
      return has(Self.protnone) && !has(Self.present) ? .protnone : .present
    case .pud:
      guard has(Self.present) else { return .bad }
      if has(Self.leaf) { return .present }
      let ignored = Self.address | Self.kernelTable | Self.user
      return raw & ~ignored != 0 ? .bad : .table
    case .p4d, .pgd:
      return has(Self.present) ? .table : .bad
    }
  }

  /// pmd_bad(); from 6.6 on it no longer asks for ACCESSED.
  private var isBadPMD: Bool {
    let ignored =
      Self.address | Self.user | (format.savedDirtyBit == nil ? 0 : Self.accessed)
    return raw & ~ignored != Self.kernelTable & ~ignored
  }

  private var swapType: UInt8 { UInt8(raw >> 59) }
  var swapOffset: UInt64 { (~raw << 5) >> 14 }

  private var nonPresent: DecodedEntry.Kind {
    format.swapTypes.kind(type: swapType, offset: swapOffset)
  }

  private func pfn(of kind: DecodedEntry.Kind) -> UInt64? {
    switch kind {
    case .present, .protnone, .table:
      // pte_pfn(): the frame of a non-present entry is inverted against L1TF.
      let value = has(Self.present) ? raw : ~raw
      let leaf = kind == .table ? 0 : (UInt64(1) << level.shift) - 1
      return (value & Self.address & ~leaf) >> 12
    case .hwpoison, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivateRead,
      .devicePrivateWrite, .deviceExclusive:
      return swapOffset & (1 << UInt64(frameBits) - 1)
    case .none, .swap, .marker, .swapinError, .bad:
      return nil
    }
  }

  /// Bits of a swap offset that hold a page frame (SWP_PFN_BITS): MAX_PHYSMEM_BITS is 46 with four
  /// levels. The next two are the young and the dirty bit of a migration.
  var frameBits: Int { format.levels == 5 ? 40 : 34 }

  private func flags(of kind: DecodedEntry.Kind) -> [String] {
    switch kind {
    case .none: []
    case .present, .protnone: leafFlags
    case .table: Array(hardwareFlags) + (has(Self.noExecute) ? ["NX"] : [])
    case .bad: has(Self.present) ? leafFlags + ["BAD"] : ["BAD"]
    default: [kind.softName] + softFlags
    }
  }

  private var hardwareFlags: [String] {
    let names = ["PRESENT", "RW", "USER", "PWT", "PCD", "ACCESSED", "DIRTY"]
    return names.indices.filter { has(1 << UInt64($0)) }.map { names[$0] }
  }

  private var leafFlags: [String] {
    var names = hardwareFlags
    func add(_ name: String, _ bit: Int?) {
      if let bit, has(1 << UInt64(bit)) { names.append(name) }
    }
    add(level == .pte ? "PAT" : "PSE", 7)
    if level != .pte, kind != .bad { add("PAT", 12) }
    add(has(Self.present) ? "GLOBAL" : "PROTNONE", 8)
    add("SPECIAL", 9)
    if format.hasUffdWP { add("UFFD_WP", 10) }
    add("SOFT_DIRTY", 11)
    add("DEVMAP", format.devmapBit)
    add("SAVED_DIRTY", format.savedDirtyBit)
    let key = raw >> 59 & 0xf
    if key != 0 { names.append("PKEY\(key)") }
    add("NX", 63)
    return names
  }

  /// Bits of a swap-type entry that are no part of type and offset.
  private var softFlags: [String] {
    var names: [String] = []
    if has(1 << 1) { names.append("SOFT_DIRTY") }
    if format.hasUffdWP, has(1 << 2) { names.append("UFFD_WP") }
    if case .swap = kind, has(1 << 3), format.swapTypes.pteMarker != nil {
      names.append("ANON_EXCLUSIVE")
    }
    return names
  }
}
