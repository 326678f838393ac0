// SPDX-License-Identifier: Apache-2.0

/// A piece of text with its meaning. The only way into a ``TextBlock``: making one cleans the text.
package struct Span: Equatable, Sendable {
  package let text: String
  package let role: Style.Role?
  /// Never broken at its spaces: a path, an address.
  package let whole: Bool

  package init(_ text: String, _ role: Style.Role? = nil, whole: Bool = false) {
    self.text = SafeText.clean(text)
    self.role = role
    self.whole = whole
  }

  /// A path, a name: kept on one line.
  static func word(_ text: String, _ role: Style.Role? = nil) -> Span {
    Span(text, role, whole: true)
  }

  package var cells: Int { SafeText.cells(text) }

  /// The groups one after the other, a comma at the end of each but the last.
  static func commas(_ groups: [[Span]]) -> [Span] {
    let groups = groups.filter { !$0.isEmpty }
    return groups.enumerated().flatMap { number, group -> [Span] in
      guard number < groups.count - 1, let last = group.last else { return group }
      return group.dropLast() + [Span(last.text + ",", last.role, whole: last.whole)]
    }
  }
}

extension Span: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self.init(value) }
}
