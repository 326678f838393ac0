// SPDX-License-Identifier: Apache-2.0

/// What a JSON value looks like, as JSON Schema tells it.
indirect enum Shape: Equatable, Sendable {
  struct Member: Equatable, Sendable {
    var key: String
    var shape: Shape
    var isRequired: Bool
  }

  case text
  case constant(String)
  case oneOf([String])
  case integer
  /// An integer, 0 or more.
  case natural
  /// "0x7f10c0000000"
  case hex
  case flag
  case list(Shape)
  /// Any keys, with a number each.
  case counts
  /// Its members and, from later versions, others.
  case object([Member])
  /// One of the definitions of the same schema.
  case reference(String)

  /// As JSON, over several lines; the first is not indented.
  func schema(indent: Int = 0) -> String {
    switch self {
    case .text: return #"{ "type": "string" }"#
    case .constant(let text): return #"{ "const": "\#(text)" }"#
    case .oneOf(let texts):
      return #"{ "enum": [\#(texts.map { "\"\($0)\"" }.joined(separator: ", "))] }"#
    case .integer: return #"{ "type": "integer" }"#
    case .natural: return #"{ "type": "integer", "minimum": 0 }"#
    case .hex: return #"{ "type": "string", "pattern": "^0x[0-9a-f]+$" }"#
    case .flag: return #"{ "type": "boolean" }"#
    case .counts:
      return
        #"{ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } }"#
    case .list(let element):
      return #"{ "type": "array", "items": \#(element.schema(indent: indent)) }"#
    case .reference(let name): return ##"{ "$ref": "#/$defs/\##(name)" }"##
    case .object(let members): return Self.object(members, indent: indent)
    }
  }

  private static func object(_ members: [Member], indent: Int) -> String {
    let outer = String(repeating: " ", count: indent)
    let inner = outer + "  "
    let properties = members.map {
      "\(inner)  \"\($0.key)\": \($0.shape.schema(indent: indent + 4))"
    }
    let required = members.filter(\.isRequired).map { "\"\($0.key)\"" }
    var lines = ["{", "\(inner)\"type\": \"object\","]
    if !required.isEmpty {
      lines.append("\(inner)\"required\": [\(required.joined(separator: ", "))],")
    }
    lines.append("\(inner)\"properties\": {")
    lines.append(properties.joined(separator: ",\n"))
    lines += ["\(inner)}", "\(outer)}"]
    return lines.joined(separator: "\n")
  }
}

/// Writes down the shape of the fields it is given.
struct ShapeSink: FieldSink {
  private(set) var members: [Shape.Member] = []

  static func shape(_ body: (inout ShapeSink) -> Void) -> Shape {
    var sink = ShapeSink()
    body(&sink)
    return .object(sink.members)
  }

  mutating func field(
    _ key: StaticString, _ shape: @autoclosure () -> Shape, isRequired: Bool, _ value: FieldValue?
  ) {
    members.append(.init(key: "\(key)", shape: shape(), isRequired: isRequired))
  }

  mutating func object(_ key: StaticString, _ body: (inout ShapeSink) -> Void) {
    members.append(.init(key: "\(key)", shape: Self.shape(body), isRequired: true))
  }

  mutating func objects<Element>(
    _ key: StaticString, _ elements: [Element], sample: Element,
    _ body: (Element, inout ShapeSink) -> Void
  ) {
    let element = Self.shape { body(sample, &$0) }
    members.append(.init(key: "\(key)", shape: .list(element), isRequired: true))
  }
}
