// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension EventFields {
  func levels(_ record: mrt_levels, _ sink: inout some FieldSink) {
    func read(_ bit: UInt32, _ entry: UInt64) -> UInt64? { record.read & bit != 0 ? entry : nil }
    sink.hex("address", record.address)
    sink.hex("pgd", read(MRT_LEVEL_PGD, record.pgd))
    sink.hex("p4d", read(MRT_LEVEL_P4D, record.p4d))
    sink.hex("pud", read(MRT_LEVEL_PUD, record.pud))
    sink.hex("pmd", read(MRT_LEVEL_PMD, record.pmd))
    sink.hex("pte", read(MRT_LEVEL_PTE, record.pte))
    sink.number("paging_levels", record.paging_levels)
  }

  func entries(_ record: EntriesRecord, _ sink: inout some FieldSink) {
    sink.text("what", RecordEnumeration.entriesWhat.name(of: record.what))
    sink.text("search", RecordEnumeration.entriesSearch.name(of: record.search))
    sink.hex("address", record.address)
    sink.hexes("values", record.values)
  }

  func mapping(_ record: MappingRecord, _ sink: inout some FieldSink) {
    let has = { (bit: UInt32) in record.flags & bit != 0 }
    let isFound = has(MRT_MAPPING_FOUND)
    let hasFile = has(MRT_MAPPING_HAS_FILE)
    let path = hasFile ? record.filePath : nil
    sink.hex("address", record.address)
    sink.flag("found", isFound)
    sink.hex("start", isFound ? record.start : nil)
    sink.hex("end", isFound ? record.end : nil)
    sink.hex("vm_flags", isFound ? record.vmFlags : nil)
    sink.texts("flags", isFound ? VMAFlags.names(record.vmFlags, of: subject.kernel) : nil)
    sink.number("page_offset", isFound ? record.pageOffset : nil)
    sink.hex("previous_end", has(MRT_MAPPING_HAS_PREV) ? record.previousEnd : nil)
    sink.hex("next_start", has(MRT_MAPPING_HAS_NEXT) ? record.nextStart : nil)
    sink.flag("anonymous", isFound ? has(MRT_MAPPING_ANON) : nil)
    sink.flag("fsdax", isFound ? has(MRT_MAPPING_FSDAX) : nil)
    sink.flag("hugetlb", isFound ? has(MRT_MAPPING_HUGETLB) : nil)
    sink.text("file", path?.text)
    sink.flag("path_cut", path?.isCut)
    sink.number("inode", hasFile ? record.inode : nil)
    sink.number("size", hasFile ? record.fileSize : nil)
    sink.text("filesystem", hasFile ? record.filesystem : nil)
    sink.hex("filesystem_magic", hasFile ? record.filesystemMagic : nil)
    sink.text("block_device", hasFile ? record.blockDevice : nil)
    sink.text("device", hasFile ? "\(record.device >> 20):\(record.device & 0xf_ffff)" : nil)
    sink.hex("inode_flags", hasFile ? record.inodeFlags : nil)
    sink.hex("mode", hasFile ? record.mode : nil)
  }

  func fault(_ record: mrt_fault, _ sink: inout some FieldSink) {
    let hasFile = record.flags & MRT_FAULT_HAS_FILE != 0
    let hasError = record.flags & MRT_FAULT_HAS_ERROR != 0
    sink.hex("address", record.address)
    sink.texts("result", VMFault.names(record.result))
    sink.hex("fault_flags", record.flags & MRT_FAULT_HAS_FLAGS != 0 ? record.fault_flags : nil)
    sink.number("inode", hasFile ? record.inode : nil)
    sink.number("page_offset", hasFile ? record.page_offset : nil)
    sink.number("file_size", hasFile ? record.file_size : nil)
    sink.signed("error", hasError ? Int64(record.error) : nil)
    sink.text("errno", hasError ? Errno(result: Int64(record.error))?.description : nil)
  }

  func pages(_ record: mrt_pages, _ sink: inout some FieldSink) {
    let entry = PageStatistic(record, format: subject.pageTables)
    sink.text("level", entry.level)
    sink.hex("bits", record.bits)
    sink.texts("flags", entry.flags)
    sink.text("outcome", entry.outcome)
    sink.number("pages", record.pages)
    sink.number("weight", record.weight)
  }
}

/// One row of flags against outcomes, with names.
struct PageStatistic {
  /// "pte", "pmd", or the number of a later version.
  var level: String
  /// nil where the level is not known.
  var flags: [String]?
  var outcome: String

  init(_ record: mrt_pages, format: PageTableFormat) {
    let level: PageTableLevel? =
      switch record.level {
      case MRT_LEVEL_PTE: .pte
      case MRT_LEVEL_PMD: .pmd
      default: nil
      }
    self.level = level?.rawValue ?? "\(record.level)"
    flags = level.map { format.decode(record.bits, level: $0).flags }
    outcome = RecordEnumeration.pagesOutcome.name(of: record.outcome)
  }
}
