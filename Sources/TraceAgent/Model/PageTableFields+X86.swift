// SPDX-License-Identifier: Apache-2.0

extension X86Entry {
  /// arch/x86/include/asm/pgtable_types.h
  func write(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    switch entry.kind {
    case .none:
      writer.flag(5, "ACCESSED", "left by a processor erratum, ignored")
      writer.flag(6, "DIRTY", "left by a processor erratum, ignored")
    case .table: table(entry, into: &writer)
    case .present, .protnone: leaf(entry, into: &writer)
    case .bad where isPresent: leaf(entry, into: &writer)
    default: soft(entry, into: &writer)
    }
  }

  private func hardware(into writer: inout FieldWriter) {
    writer.flag(0, "PRESENT", "the processor may use the entry")
    writer.flag(1, "RW", "writable")
    writer.flag(2, "USER", "for user space")
    writer.flag(3, "PWT", "write-through; part of the memory type")
    writer.flag(4, "PCD", "cache disabled; part of the memory type")
    writer.flag(5, "ACCESSED", "read or written since it was cleared")
    writer.flag(6, "DIRTY", "written since it was cleared")
  }

  private func table(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    hardware(into: &writer)
    writer.group(12...51, "PFN", value: entry.pfn, entry.frameMeaning("the lower table's frame"))
    writer.flag(63, "NX", "nothing below is executable")
  }

  private func leaf(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    hardware(into: &writer)
    if level == .pte {
      writer.flag(7, "PAT", "part of the memory type")
    } else {
      writer.flag(7, "PSE", "maps a page of \(level.leafSize), no table")
      // Where the entry is no leaf, bit 12 is the address's.
      if entry.kind != .bad { writer.flag(12, "PAT", "part of the memory type") }
    }
    if isPresent {
      writer.flag(8, "GLOBAL", "kept in the TLB across address spaces")
    } else {
      writer.flag(8, "PROTNONE", "closed to the processor: PROT_NONE or NUMA hinting")
    }
    writer.flag(9, "SPECIAL", "not to be treated as a page with a struct page")
    if format.hasUffdWP {
      writer.flag(10, "UFFD_WP", "write-protected by userfaultfd (called UFFD from 7.3 on)")
    }
    writer.flag(11, "SOFT_DIRTY", "written since soft-dirty tracking was reset")
    // An entry that is no leaf of its level has its address where a table has it.
    let low = entry.kind == .bad ? 12 : Int(level.shift)
    let inverted = isPresent ? "" : " (stored inverted)"
    writer.group(
      low...51, "PFN", value: entry.pfn, entry.frameMeaning("page frame") + inverted)
    if let bit = format.devmapBit { writer.flag(bit, "DEVMAP", "page of a DAX device") }
    if let bit = format.savedDirtyBit {
      writer.flag(bit, "SAVED_DIRTY", "dirty, kept aside while the entry is not writable")
    }
    let key = writer.value(59...62)
    if key != 0 { writer.group(59...62, "PKEY\(key)", "protection key \(key)") }
    writer.flag(63, "NX", "not executable")
  }

  private func soft(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    writer.flag(1, "SOFT_DIRTY", "written since soft-dirty tracking was reset")
    if format.hasUffdWP { writer.flag(2, "UFFD_WP", "write-protected by userfaultfd") }
    if case .swap = entry.kind, entry.flags.contains("ANON_EXCLUSIVE") {
      writer.flag(3, "ANON_EXCLUSIVE", "the anonymous page is exclusive to this process")
    }
    // A PUD or above that is not present is no swap entry.
    guard level == .pte || level == .pmd else { return }
    writer.softFields(
      entry, types: format.swapTypes, type: 59...63, offset: 9...58, value: swapOffset,
      frameBits: frameBits, inverted: true)
  }
}

extension FieldWriter {
  /// Type and offset of a swap-type entry.
  mutating func softFields(
    _ entry: DecodedEntry, types: SwapTypes, type: ClosedRange<Int>, offset: ClosedRange<Int>,
    value: UInt64, frameBits: Int, inverted: Bool
  ) {
    group(type, "TYPE", types.typeMeaning(entry.kind))
    var meaning: String
    switch entry.kind {
    case .marker(let marker): meaning = marker.meaning
    case .swap: meaning = "page slot \(value) of the swap file"
    case .swapinError, .bad: meaning = "not used"
    default:
      meaning = entry.frameMeaning("page frame")
      let above = value >> UInt64(frameBits)
      // SWP_MIG_YOUNG, SWP_MIG_DIRTY (6.1)
      let kept = entry.kind.isMigration && types.migrationReadExclusive != nil
      if kept, above & 1 != 0 { meaning += ", young" }
      if kept, above & 2 != 0 { meaning += ", dirty" }
      if above >> (kept ? 2 : 0) != 0 { meaning += ", and bits above it" }
    }
    group(offset, "OFFSET", value: value, meaning + (inverted ? " (stored inverted)" : ""))
  }
}
