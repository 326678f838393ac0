// SPDX-License-Identifier: Apache-2.0

import Model

/// A diagnosis for a person.
package enum ReportText {
  private static let indent = 2
  private static let stackFrames = 6

  /// The text of one diagnosis; ends with a newline.
  ///
  /// - Parameters:
  ///   - diagnosis: what to show.
  ///   - index: its number in the report, from 1; nil where it stands alone.
  ///   - style: of the file it is written to.
  ///   - clockOffsetNs: CLOCK_REALTIME - CLOCK_MONOTONIC; nil: the time is not shown.
  ///   - origin: which of several hosts and recordings it is of.
  /// - Returns: the lines, each with its newline.
  package static func render(
    _ diagnosis: Diagnosis, index: Int?, style: Style, clockOffsetNs: Int64? = nil,
    origin: [String] = []
  ) -> String {
    var block = TextBlock(style: style)
    headline(diagnosis, index: index, into: &block)
    block.prose(
      people(diagnosis.operation, diagnosis.delivered, clockOffsetNs, origin), indent: indent)
    notes(diagnosis, into: &block)
    if !diagnosis.summary.isEmpty {
      block.blank()
      block.prose(diagnosis.summary, indent: indent)
    }
    block.blank()
    if diagnosis.isUnknown {
      block.prose(
        [Span("No cause is proved. Everything that was recorded of this failure:", .warning)],
        indent: indent)
      block.blank()
    }
    page(diagnosis, into: &block)
    // All mappings are evidence below where nothing is proved.
    if let mapping = diagnosis.mapping {
      block.field(
        "mapping", indent: indent,
        MappingText.paragraphs(
          mapping, fileOffset: diagnosis.fileOffset, of: diagnosis.kernel,
          backing: diagnosis.backing))
    }
    request(diagnosis.operation, into: &block)
    if !diagnosis.chain.isEmpty {
      block.field("errno", indent: indent, table: ChainText.table(diagnosis))
    }
    // Each says itself that it is computed.
    block.field("what if", indent: indent, diagnosis.whatIf.map { [Span($0.sentence)] })
    if diagnosis.isUnknown {
      EvidenceText.append(diagnosis, indent: indent, to: &block)
    }
    if let next = diagnosis.operation.followedBy {
      block.field(
        "then", indent: indent,
        [[Span("followed by a smaller or weaker registration, which does not mend it: \(next)")]])
    }
    if let after = diagnosis.operation.repeatsAfterNs {
      let before = Quantity.duration(nanoseconds: after)
      block.field(
        "evidence", indent: indent,
        [[Span("of the same failure on this thread, \(before) before")]])
    }
    stacks(diagnosis, into: &block)
    advice(diagnosis, into: &block)
    return block.text
  }

  private static func headline(_ diagnosis: Diagnosis, index: Int?, into block: inout TextBlock) {
    var spans: [Span] = []
    if let index { spans.append(.word("\(index).", .heading)) }
    spans.append(.word(diagnosis.operation.kind.rawValue, .heading))
    if !diagnosis.operation.kindSeen {
      spans.append(Span("(what asked for it was not seen)", .warning))
    }
    if let recovered = diagnosis.operation.recoveredBy {
      spans += [
        .word("\(diagnosis.errno):", .heading), .word(diagnosis.cause, .heading),
        Span("(\(diagnosis.confidence.rawValue)),", .dim),
        Span("mended by \(recovered), not a problem", .good),
      ]
    } else {
      spans += [
        Span("failed with", .heading), .word("\(diagnosis.errno):", .bad),
        .word(diagnosis.isUnknown ? "cause unknown" : diagnosis.cause, .bad),
      ]
      // "cause unknown (unknown)" says nothing.
      if !diagnosis.isUnknown {
        let role: Style.Role = diagnosis.confidence == .proved ? .good : .warning
        spans.append(Span("(\(diagnosis.confidence.rawValue))", role))
      }
    }
    block.prose(spans, hang: indent)
  }

  private static func people(
    _ operation: Operation, _ delivered: Diagnosis.Delivered?, _ offset: Int64?,
    _ origin: [String]
  ) -> [Span] {
    let people = operation.people
    var parts: [Span] = origin.map { .word($0) }
    if let pid = people.pid {
      let container = operation.owner?.containerPID.map { "\($0) in its container" }
      let about = [people.comm, container].compactMap { $0 }.joined(separator: ", ")
      parts.append(.word(about.isEmpty ? "pid \(pid)" : "pid \(pid) (\(about))"))
    } else {
      parts.append("owner not known")
    }
    if let tid = people.tid, tid != people.pid { parts.append(.word("thread \(tid)")) }
    if let worker = people.worker {
      parts.append(.word("run by \(worker.comm) (thread \(worker.tid))"))
    }
    if let device = operation.device, !device.isEmpty { parts.append(.word("device \(device)")) }
    if let delivered { parts.append(.word(delivered.words)) }
    if let duration = operation.durationNs {
      parts.append(.word("after \(Quantity.duration(nanoseconds: duration))"))
    }
    if let offset,
      let time = WallClock.nanoseconds(
        monotonic: operation.startNs ?? operation.endNs, offset: offset),
      let text = WallClock.text(time)
    {
      parts.append(.word("at \(text)"))
    }
    return Span.commas(parts.map { [$0] })
  }

  private static func notes(_ diagnosis: Diagnosis, into block: inout TextBlock) {
    if !diagnosis.incomplete.isEmpty {
      let reasons = diagnosis.incomplete.joined(separator: "; ")
      block.prose([Span("The evidence is incomplete: \(reasons).", .warning)], indent: indent)
    }
    if !diagnosis.isUnknown, diagnosis.confidence != .proved {
      block.prose(
        [Span("Not proved: the evidence fits this cause, but does not rule out others.", .warning)],
        indent: indent)
    }
  }

  private static func page(_ diagnosis: Diagnosis, into block: inout TextBlock) {
    guard let page = diagnosis.page else { return }
    var first: [Span] = [.word(Quantity.hex(page.address), .accent)]
    if let raw = page.raw {
      first[0] = .word(first[0].text + ",", .accent)
      first.append(.word("\(page.level ?? "entry") \(Quantity.hex(raw))"))
    } else {
      first.append(Span("(no page-table entry was read for it)", .dim))
    }
    block.field("page", indent: indent, [first])
    guard page.raw != nil || !page.neighbours.isEmpty else { return }
    // As far left as can be: the flags need the room.
    let left = indent + 2
    block.table(PageText.table(page, width: block.style.width - left), indent: left)
    if let difference = PageText.difference(page) { block.prose(difference, indent: left + 2) }
  }

  private static func request(_ operation: Operation, into block: inout TextBlock) {
    var asked: [[Span]] = []
    if let advice = operation.advice {
      let name = Span.word(advice.adviceName ?? "advice \(advice.advice)")
      asked.append([name] + advice.flagNames.map { Span.word($0) })
    }
    if let range = operation.request { asked += words(range) }
    if let advice = operation.advice, advice.sgeCount > 1 {
      asked.append([Span("the first of \(advice.sgeCount) ranges")])
    }
    if let lkey = operation.lkey { asked.append([.word("lkey \(Quantity.hex(UInt64(lkey)))")]) }
    block.field("request", indent: indent, [Span.commas(asked)])

    let mr = operation.mr
    var region: [[Span]] = []
    if let address = mr.address { region.append([.word(Quantity.hex(address))]) }
    if let length = mr.length { region.append([.word(Quantity.bytes(length))]) }
    // Only an address of its own is news.
    if let iova = mr.iova, iova != mr.address {
      region.append([.word("iova \(Quantity.hex(iova))")])
    }
    if let access = mr.access {
      let names = AccessFlags.names(access)
      region.append((names.isEmpty ? ["local read only"] : names).map { Span.word($0) })
    }
    block.field("mr", indent: indent, [Span.commas(region)])
  }

  static func words(_ range: AddressRange) -> [[Span]] {
    [[.word(Quantity.hex(range.start))], [.word(Quantity.bytes(range.length))]]
  }

  private static func stacks(_ diagnosis: Diagnosis, into block: inout TextBlock) {
    let operation = diagnosis.operation
    block.field(
      "kernel", indent: indent, [ChainText.stack(operation.kernelStack, most: stackFrames)])
    block.field("user", indent: indent, [ChainText.stack(operation.userStack, most: stackFrames)])
  }

  private static func advice(_ diagnosis: Diagnosis, into block: inout TextBlock) {
    // A failure that the program has mended asks for nothing.
    if diagnosis.operation.recoveredBy == nil, !diagnosis.advice.isEmpty {
      block.blank()
      block.line([Span("What to do:", .heading)], indent: indent)
      for advice in diagnosis.advice {
        block.prose("- \(advice)", indent: indent, hang: indent + 2)
      }
    }
    if !diagnosis.references.isEmpty {
      block.blank()
      block.field("see", indent: indent, diagnosis.references.map { [Span($0)] })
    }
  }
}
