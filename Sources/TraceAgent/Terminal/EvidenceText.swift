// SPDX-License-Identifier: Apache-2.0

import Model

/// Everything recorded of a failure, for the reader to judge where no rule could.
enum EvidenceText {
  private static let mostRuns = 12

  static func append(_ diagnosis: Diagnosis, indent: Int, to block: inout TextBlock) {
    let operation = diagnosis.operation
    let before = block.lines.count
    layers(operation, indent, &block)
    umems(operation, indent, &block)
    ranges(operation, indent, &block)
    walks(operation, indent, &block)
    faults(operation, indent, &block)
    levels(operation, indent, &block)
    for entries in operation.entries {
      block.field("entries", indent: indent, EvidenceText.entries(entries))
    }
    for mapping in operation.mappings where mapping != diagnosis.mapping {
      let asked = Span("asked for \(Quantity.hex(mapping.address)):", .dim)
      block.field(
        "mapping", indent: indent,
        [[asked]] + MappingText.paragraphs(mapping, fileOffset: nil, of: diagnosis.kernel))
    }
    BackingText.append(operation, indent: indent, to: &block)
    if block.lines.count == before {
      block.field("evidence", indent: indent, [["none was recorded"]])
    }
  }

  private static func table(_ columns: String...) -> TextTable {
    TextTable(columns.map { TextTable.Column($0) })
  }

  private static func layers(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    guard !operation.layers.isEmpty else { return }
    var table = table("function", "result", "seen by", "arguments")
    for layer in operation.layers {
      table.add([
        Span(layer.function), Span(Quantity.result(layer.result)), Span(layer.rung.rawValue),
        Span(layer.arguments.map(Quantity.hex).joined(separator: " ")),
      ])
    }
    block.field("layers", indent: indent, table: table)
  }

  private static func umems(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    for umem in operation.umems {
      var parts: [String] = []
      if let iova = umem.iova { parts.append("iova \(Quantity.hex(iova))") }
      if let writable = umem.writable { parts.append(writable ? "writable" : "read-only") }
      if let odp = umem.isODP { parts.append(odp ? "on-demand" : "pinned") }
      if let shift = umem.pageShift { parts.append("page shift \(shift)") }
      if let access = umem.access {
        parts.append("access \(AccessFlags.names(access).joined(separator: "|"))")
      }
      if let pinned = umem.pinnedPages { parts.append("\(pinned) pages pinned by the process") }
      if let limit = umem.memlockLimit {
        parts.append("memlock limit \(limit == .max ? "unlimited" : Quantity.bytes(limit))")
      }
      let region = umem.region.map(ReportText.words) ?? []
      block.field(
        "umem", indent: indent,
        [[.word(umem.function + ":")] + Span.commas(region + parts.map { [.word($0)] })])
    }
  }

  private static func ranges(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    guard !operation.ranges.isEmpty else { return }
    var table = table("function", "result", "seen by", "range", "asked")
    for range in operation.ranges {
      table.add([
        Span(range.function), Span(Quantity.result(range.result)), Span(range.rung.rawValue),
        Span("\(Quantity.hex(range.start))-\(Quantity.hex(range.end))"),
        Span(asked(range.defaultFlags)),
      ])
    }
    block.field("ranges", indent: indent, table: table)
  }

  /// hmm_range.default_flags: HMM_PFN_REQ_FAULT, HMM_PFN_REQ_WRITE.
  private static func asked(_ flags: UInt64) -> String {
    switch (flags >> 63 & 1, flags >> 62 & 1) {
    case (0, 0): "snapshot"
    case (0, _): "write"
    case (_, 0): "fault"
    default: "fault write"
    }
  }

  private static func walks(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    guard !operation.walks.isEmpty else { return }
    var table = table("function", "result", "seen by", "range", "entry", "")
    for walk in operation.walks {
      var notes: [String] = []
      if !walk.hasVMA { notes.append("no vma") }
      if let flags = walk.defaultFlags { notes.append("asked \(asked(flags))") }
      if let last = walk.last { notes.append("last \(Quantity.hex(last))") }
      if let end = walk.pendingEnd { notes.append("pending to \(Quantity.hex(end))") }
      if let fault = walk.requiredFault { notes.append("needs \(needs(fault))") }
      table.add([
        Span(walk.function), Span(Quantity.result(walk.result)), Span(walk.rung.rawValue),
        Span("\(Quantity.hex(walk.start))-\(Quantity.hex(walk.end))"),
        Span(walk.entry == 0 ? "" : Quantity.hex(walk.entry)),
        Span(notes.joined(separator: ", ")),
      ])
    }
    block.field("walks", indent: indent, table: table)
  }

  /// HMM_NEED_FAULT, HMM_NEED_WRITE_FAULT
  private static func needs(_ bits: UInt32) -> String {
    switch bits {
    case 0: "nothing"
    case 1: "a fault"
    case 2, 3: "a write fault"
    default: Quantity.hex(UInt64(bits))
    }
  }

  private static func faults(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    guard !operation.faults.isEmpty else { return }
    var table = table("witness", "address", "result", "file")
    for fault in operation.faults {
      var file: [String] = []
      if let flags = fault.faultFlags { file.append("fault flags \(Quantity.hex(UInt64(flags)))") }
      if let inode = fault.inode { file.append("inode \(inode)") }
      if let page = fault.pageOffset { file.append("page \(page)") }
      if let size = fault.fileSize { file.append("file size \(size)") }
      table.add([
        Span(fault.witness), Span(Quantity.hex(fault.address)),
        Span(VMFault.names(fault.result).joined(separator: "|")),
        Span(file.joined(separator: ", ")),
      ])
    }
    block.field("faults", indent: indent, table: table)
  }

  private static func levels(_ operation: Operation, _ indent: Int, _ block: inout TextBlock) {
    for levels in operation.levels {
      let entries = [
        ("pgd", levels.pgd), ("p4d", levels.p4d), ("pud", levels.pud), ("pmd", levels.pmd),
        ("pte", levels.pte),
      ]
      let read = entries.compactMap { name, raw in
        raw.map { Span.word("\(name) \(Quantity.hex($0))") }
      }
      let none = read.isEmpty ? [Span("no level was read")] : read
      block.field("levels", indent: indent, [[.word(Quantity.hex(levels.address) + ":")] + none])
    }
  }

  // MARK: entries

  struct Run: Equatable {
    var address: UInt64
    var count: Int
    var first: UInt64
    var differing: Bool
  }

  /// Entries that differ in nothing but the frame of a present one, folded.
  static func runs(_ evidence: EntriesEvidence) -> [Run] {
    // x86-64: bits 12 to 51 are the frame; bit 0 is PRESENT. An HMM PFN has flags at the top (bit
    // 63 VALID).
    let present: UInt64 = evidence.what == .pte ? 1 : 1 << 63
    let flags: UInt64 = evidence.what == .pte ? 0xfff0_0000_0000_0fff : 0xffe0_0000_0000_0000
    func alike(_ one: UInt64, _ other: UInt64) -> Bool {
      one == other || (one & present != 0 && one & flags == other & flags)
    }
    var runs: [Run] = []
    for (index, value) in evidence.values.enumerated() {
      if let last = runs.last, alike(last.first, value) {
        runs[runs.count - 1].count += 1
        runs[runs.count - 1].differing = last.differing || last.first != value
      } else {
        runs.append(
          Run(
            address: evidence.address &+ UInt64(index) &* 4096, count: 1, first: value,
            differing: false))
      }
    }
    return runs
  }

  private static func entries(_ evidence: EntriesEvidence) -> [[Span]] {
    let what = evidence.what == .pte ? "page-table entries" : "HMM frame numbers"
    let why = evidence.search == .walked ? "of the walk" : "of the table where faulting stopped"
    let all = runs(evidence)
    var paragraphs: [[Span]] = [
      [
        Span("\(evidence.values.count) \(what) \(why), from"),
        .word(Quantity.hex(evidence.address) + ":"),
      ]
    ]
    for run in all.prefix(mostRuns) {
      let value = run.first == 0 ? "none" : Quantity.hex(run.first)
      paragraphs.append([
        .word(Quantity.hex(run.address)), Span(Quantity.count(run.count, "page")),
        .word(value + (run.differing ? " (first; frames differ)" : "")),
      ])
    }
    if all.count > mostRuns {
      paragraphs.append([Span("... and \(all.count - mostRuns) more runs, see report --json")])
    }
    return paragraphs
  }
}
