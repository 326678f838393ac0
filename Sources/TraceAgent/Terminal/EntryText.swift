// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model

/// A raw page-table entry as one kernel reads it: what `explain pte` tells.
package struct ExplainedEntry: Equatable, Sendable {
  /// As it was asked for: "6.12", "fsdax-2021".
  package var kernel: String
  package var format: PageTableFormat
  package var entry: DecodedEntry
  package var fields: [EntryField]
  package var verdict: EntryVerdict
  /// What was assumed.
  package var notes: [String]

  /// - Parameters:
  ///   - kernel: its name.
  ///   - release: which rules it has.
  ///   - format: how it lays out its entries.
  ///   - hasDevmapFix: whether ``DevmapFix`` is in; nil: not known.
  ///   - raw: the entry.
  ///   - level: of the page table.
  ///   - notes: what was assumed.
  package init(
    kernel: String, release: KernelRelease, format: PageTableFormat, hasDevmapFix: Bool?,
    raw: UInt64, level: PageTableLevel, notes: [String]
  ) {
    self.kernel = kernel
    self.format = format
    entry = format.decode(raw, level: level)
    fields = format.fields(raw, level: level)
    verdict = EntryVerdict.of(entry, release: release, hasDevmapFix: hasDevmapFix)
    self.notes = notes
  }

  /// "maps page frame 0x28040 (physical 0x28040000), writable"
  var sentence: String {
    let frame = entry.pfn.map {
      "page frame \(Quantity.hex($0)) (physical \(Quantity.hex($0 << 12)))"
    }
    switch entry.kind {
    case .none: return "empty: nothing is mapped"
    case .present:
      let page = entry.level == .pte ? "" : "a page of \(entry.level.leafSize) from "
      return "maps \(page)\(frame ?? ""), \(entry.isWritable ? "writable" : "not writable")"
    case .protnone: return "holds \(frame ?? ""), closed to the processor"
    case .table: return "points to a lower table in \(frame ?? "")"
    case .bad: return "neither a page nor a table nor a type that this kernel has"
    default:
      return "not present: \(entry.kind.meaning)" + (frame.map { "; \($0)" } ?? "")
    }
  }

  /// "58", "12-51"
  static func bits(_ field: EntryField) -> String {
    field.bits.count == 1
      ? "\(field.bits.lowerBound)" : "\(field.bits.lowerBound)-\(field.bits.upperBound)"
  }
}

/// `explain pte VALUE` for a person.
package enum EntryText {
  /// One kernel: every set bit. Several: one row each. Ends with a newline.
  package static func render(_ entries: [ExplainedEntry], style: Style) -> String {
    var block = TextBlock(style: style)
    if entries.count == 1, let entry = entries.first {
      one(entry, into: &block)
    } else {
      many(entries, into: &block)
    }
    return block.text
  }

  private static func title(_ entry: ExplainedEntry) -> String {
    "\(entry.entry.levelName) \(Quantity.hex(entry.entry.raw))"
  }

  private static func one(_ explained: ExplainedEntry, into block: inout TextBlock) {
    block.prose([
      Span(title(explained), .heading),
      Span("on \(explained.kernel), \(explained.format.architecture.rawValue):"),
      Span(explained.sentence),
    ])
    if !explained.fields.isEmpty {
      block.blank()
      var table = TextTable([
        .init("bits", .right), .init("name"), .init("value"), .init("meaning"),
      ])
      for field in explained.fields {
        table.add([
          Span(ExplainedEntry.bits(field)), Span(field.name, field.isFlag ? .accent : nil),
          Span(field.isFlag ? "" : Quantity.hex(field.value)), Span(field.meaning),
        ])
      }
      block.table(table, indent: 2)
    }
    block.blank()
    block.field("HMM", indent: 0, verdict(explained.verdict))
    notes([explained], into: &block)
  }

  private static func verdict(_ verdict: EntryVerdict) -> [[Span]] {
    var first: [Span] = []
    if verdict.read == verdict.write {
      first = [Span(words(verdict.read) + ":", role(verdict.read))]
    } else {
      first = [
        Span("to read: \(words(verdict.read));", role(verdict.read)),
        Span("to write: \(words(verdict.write)):", role(verdict.write)),
      ]
    }
    return [first + [Span(verdict.reason)]]
  }

  private static func many(_ entries: [ExplainedEntry], into block: inout TextBlock) {
    guard let first = entries.first else { return }
    block.prose([Span(title(first), .heading)])
    var table = TextTable([
      .init("kernel"), .init("frame"), .init("HMM, to read"), .init("to write"), .init("flags"),
    ])
    for explained in entries {
      let verdict = explained.verdict
      table.add([
        Span(explained.kernel), Span(explained.entry.pfn.map(Quantity.hex) ?? "-"),
        Span(words(verdict.read), role(verdict.read)),
        Span(words(verdict.write), role(verdict.write)),
        Span(explained.entry.flags.isEmpty ? "none" : explained.entry.flags.joined(separator: " ")),
      ])
    }
    block.table(table, indent: 2)
    block.blank()
    for explained in entries {
      block.prose(
        [Span("\(explained.kernel):", .dim), Span(explained.verdict.reason)], indent: 2, hang: 4)
    }
    notes(entries, into: &block)
  }

  private static func notes(_ entries: [ExplainedEntry], into block: inout TextBlock) {
    var seen: [String] = []
    for note in entries.flatMap(\.notes) where !seen.contains(note) { seen.append(note) }
    guard !seen.isEmpty else { return }
    block.blank()
    block.field("assumed", indent: 0, seen.map { [Span($0)] })
  }

  private static func words(_ outcome: EntryVerdict.Outcome) -> String {
    switch outcome {
    case .accepts: "accepted"
    case .refuses: "refused"
    case .faults: "page fault"
    case .waits: "waits"
    case .descends: "lower table"
    case .depends: "depends"
    }
  }

  private static func role(_ outcome: EntryVerdict.Outcome) -> Style.Role? {
    switch outcome {
    case .accepts: .good
    case .refuses: .bad
    case .depends: .warning
    case .faults, .waits, .descends: nil
    }
  }
}

/// `explain pte VALUE --json`: one object, one line without its newline.
package enum EntryJSON {
  package static func line(_ explained: ExplainedEntry) -> String {
    let entry = explained.entry
    var object = JSONObject()
    object.add("level", entry.level.rawValue)
    object.add("raw", hex: entry.raw)
    object.add("kernel", explained.kernel)
    object.add("architecture", explained.format.architecture.rawValue)
    object.add("kind", entry.kind.name)
    object.add("flags", .strings(entry.flags))
    object.add("pfn", hex: entry.pfn)
    object.add("physical", hex: entry.pfn.map { $0 << 12 })
    object.add("writable", entry.isWritable)
    object.add("fields", .array(explained.fields.map(field)))
    var hmm = JSONObject()
    hmm.add("read", explained.verdict.read.rawValue)
    hmm.add("write", explained.verdict.write.rawValue)
    hmm.add("reason", explained.verdict.reason)
    object.add("hmm", .object(hmm))
    object.add("summary", explained.sentence)
    object.add("notes", .strings(explained.notes))
    return JSON.object(object).line
  }

  private static func field(_ field: EntryField) -> JSON {
    var object = JSONObject()
    object.add("bits", ExplainedEntry.bits(field))
    object.add("name", field.name)
    object.add("value", hex: field.value)
    object.add("meaning", field.meaning)
    return .object(object)
  }
}
