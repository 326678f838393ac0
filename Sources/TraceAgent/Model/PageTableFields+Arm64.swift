// SPDX-License-Identifier: Apache-2.0

extension Arm64Entry {
  /// arch/arm64/include/asm/pgtable-hwdef.h, pgtable-prot.h
  func write(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    switch entry.kind {
    case .none: break
    case .table:
      for (bit, name) in Self.tableBits { writer.flag(bit, name, Self.tableMeanings[name] ?? "") }
      writer.group(
        12...layout.addressEnd - 1, "PFN", value: entry.pfn,
        entry.frameMeaning("the lower table's frame"))
    case .present, .protnone: leaf(entry, into: &writer)
    case .bad where isValid: leaf(entry, into: &writer)
    default: soft(entry, into: &writer)
    }
  }

  private static let tableMeanings = [
    "VALID": "the processor may use the entry", "TABLE": "points to a lower table",
    "AF": "used since it was cleared (where the processor tracks tables)",
    "PXN": "nothing below is executable by the kernel",
    "UXN": "nothing below is executable by user space",
  ]

  private static let leafMeanings = [
    "VALID": "the processor may use the entry",
    "PAGE": "a page, as every PTE",
    "NS": "not secure, or an address bit in a realm",
    "USER": "for user space",
    "RDONLY": "not writable now: read-only, or clean",
    "AF": "read or written since it was cleared",
    "NG": "belongs to one address space",
    "PRESENT_INVALID": "a page, closed to the processor: PROT_NONE or a huge page being split",
    "GP": "guarded against branches (BTI)",
    "WRITE": "writable: the processor may clear RDONLY (DBM)",
    "CONT": "one of a run of contiguous pages",
    "PXN": "not executable by the kernel", "UXN": "not executable by user space",
    "DIRTY": "written since it was cleared",
    "SPECIAL": "not to be treated as a page with a struct page",
    "DEVMAP": "page of a DAX device",
    "UFFD_WP": "write-protected by userfaultfd (called UFFD from 7.3 on)",
    "PROT_NONE": "closed to the processor: PROT_NONE or NUMA hinting",
  ]

  private func leaf(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    for (bit, name) in leafBits { writer.flag(bit, name, Self.leafMeanings[name] ?? "") }
    writer.group(2...4, "ATTRINDX", "memory type number \(writer.value(2...4)) of MAIR_EL1")
    let shared = ["not shareable", "reserved", "outer shareable", "inner shareable"]
    writer.group(8...9, "SH", shared[Int(writer.value(8...9))])
    let low = entry.kind == .bad ? 12 : Int(level.shift)
    writer.group(
      low...layout.addressEnd - 1, "PFN", value: entry.pfn, entry.frameMeaning("page frame"))
    let key = writer.value(60...62)
    if layout.hasKeys, key != 0 { writer.group(60...62, "PKEY\(key)", "protection key \(key)") }
  }

  private func soft(_ entry: DecodedEntry, into writer: inout FieldWriter) {
    guard level == .pte || level == .pmd else { return }
    for (bit, name) in swapBits(of: entry.kind) {
      writer.flag(
        bit, name,
        name == "UFFD_WP"
          ? "write-protected by userfaultfd" : "the anonymous page is exclusive to this process")
    }
    let types = layout.swapTypeShift...layout.swapTypeShift + 4
    let offset = layout.swapOffsetShift...layout.swapOffsetShift + 49
    writer.softFields(
      entry, types: format.swapTypes, type: types, offset: offset, value: swapOffset,
      frameBits: frameBits, inverted: false)
  }
}
