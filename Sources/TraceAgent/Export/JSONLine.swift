// SPDX-License-Identifier: Apache-2.0

/// One line of JSON in the making, straight into the output.
struct JSONLine: FieldSink {
  private let output: ByteOutput
  private var isFirst = true

  static func write(to output: ByteOutput, _ body: (inout JSONLine) -> Void) {
    var line = JSONLine(output: output)
    output.append(UInt8(ascii: "{"))
    body(&line)
    output.append("}\n")
  }

  private init(output: ByteOutput) { self.output = output }

  mutating func field(
    _ key: StaticString, _ shape: @autoclosure () -> Shape, isRequired: Bool, _ value: FieldValue?
  ) {
    guard let value else { return }
    begin(key)
    switch value {
    case .text(let text): quote(text)
    case .number(let number): output.append(decimal: number)
    case .signed(let number): output.append(decimal: number)
    case .hex(let number): hex(number)
    case .flag(let flag): output.append(flag ? "true" as StaticString : "false")
    case .texts(let texts): list(texts) { quote($0) }
    case .hexes(let numbers): list(numbers) { hex($0) }
    case .numbers(let numbers): list(numbers) { output.append(decimal: $0) }
    case .counts(let counts):
      output.append(UInt8(ascii: "{"))
      for (index, entry) in counts.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        quote(entry.key)
        output.append(UInt8(ascii: ":"))
        output.append(decimal: entry.count)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  mutating func object(_ key: StaticString, _ body: (inout JSONLine) -> Void) {
    begin(key)
    object { body(&$0) }
  }

  mutating func objects<Element>(
    _ key: StaticString, _ elements: [Element], sample: Element,
    _ body: (Element, inout JSONLine) -> Void
  ) {
    begin(key)
    list(elements) { element in object { body(element, &$0) } }
  }

  private func object(_ body: (inout JSONLine) -> Void) {
    var inner = JSONLine(output: output)
    output.append(UInt8(ascii: "{"))
    body(&inner)
    output.append(UInt8(ascii: "}"))
  }

  private mutating func begin(_ key: StaticString) {
    if !isFirst { output.append(UInt8(ascii: ",")) }
    isFirst = false
    output.append(UInt8(ascii: "\""))
    output.append(key)
    output.append("\":")
  }

  private func list<Element>(_ elements: [Element], _ write: (Element) -> Void) {
    output.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      write(element)
    }
    output.append(UInt8(ascii: "]"))
  }

  private func hex(_ number: UInt64) {
    output.append("\"0x")
    output.append(hex: number)
    output.append(UInt8(ascii: "\""))
  }

  /// In ASCII, so that no terminal obeys what stands in it: any reader gets the same text back.
  private func quote(_ text: String) {
    output.append(UInt8(ascii: "\""))
    defer { output.append(UInt8(ascii: "\"")) }
    var text = text
    let isPlain = text.withUTF8 { bytes in
      let isPlain = bytes.allSatisfy {
        $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
      }
      if isPlain { output.append(bytes) }
      return isPlain
    }
    guard !isPlain else { return }
    for unit in text.utf16 {
      switch unit {
      case 0x22: output.append("\\\"")
      case 0x5c: output.append("\\\\")
      case 0x20..<0x7f: output.append(UInt8(truncatingIfNeeded: unit))
      default:
        let digits = String(unit, radix: 16)
        output.append(text: "\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      }
    }
  }
}
