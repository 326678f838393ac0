// SPDX-License-Identifier: Apache-2.0

import Model

/// The errno's way from the check that decided out to the user.
enum ChainText {
  static func table(_ diagnosis: Diagnosis) -> TextTable {
    var table = TextTable(
      [.init(""), .init(""), .init(""), .init("")], hasHeader: false)
    var before: Diagnosis.Link.Result?
    for link in diagnosis.chain {
      let changed = before.map { $0 != link.result } ?? false
      table.add([
        Span(link.function),
        Span(link.result.description, changed ? .warning : nil),
        Span(link.seen.rawValue, .dim),
        Span(changed ? "<- changed from \(before?.description ?? "")" : "", .warning),
      ])
      before = link.result
    }
    if let last = diagnosis.chain.last, case .errno(let errno) = last.result,
      errno != diagnosis.errno
    {
      table.add([
        Span("(the operation)"), Span("-\(diagnosis.errno)", .warning), "",
        Span("<- changed from \(last.result)", .warning),
      ])
    }
    return table
  }

  /// The first frames, equal ones in a row folded.
  static func stack(_ frames: [StackFrame], most: Int) -> [Span] {
    var folded: [(name: String, count: Int)] = []
    for frame in frames {
      let name = frame.name ?? Quantity.hex(frame.address)
      if folded.last?.name == name {
        folded[folded.count - 1].count += 1
      } else {
        folded.append((name, 1))
      }
    }
    var spans: [Span] = []
    var shown = 0
    for (name, count) in folded.prefix(most) {
      if !spans.isEmpty { spans.append(.word("<-", .dim)) }
      spans.append(.word(count > 1 ? "\(name) (\(count) times)" : name))
      shown += count
    }
    if shown < frames.count {
      spans.append(.word("<-", .dim))
      spans.append(.word("\(frames.count - shown) more", .dim))
    }
    return spans
  }
}
