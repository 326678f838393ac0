// SPDX-License-Identifier: Apache-2.0

import Events

/// The records of events.h after their header, in CTF's metadata language, as ``RecordKind`` has
/// them.
enum CTFEvents {
  /// Names of numbers. A field with any of several flags is a plain number: a reader shows a
  /// combination of them as an unknown one.
  static var enumerations: String {
    RecordEnumeration.all.map(enumeration).joined(separator: "\n")
  }

  /// Every kind, in order of its number.
  static var text: String {
    RecordKind.all.sorted { $0.number < $1.number }.map(event).joined()
  }

  /// In one line, or in as few as hold it.
  private static func enumeration(_ enumeration: RecordEnumeration) -> String {
    let width = 82
    let head = "enum \(enumeration.name) : \(enumeration.isFlags ? "u32x" : "u32") {"
    let values = enumeration.values.map { "\($0.name) = \($0.number)" }
    let line = "\(head) \(values.joined(separator: ", ")) };\n"
    guard line.utf8.count > width else { return line }
    var lines = [""]
    for value in values {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = "\(value),"
      } else if last.utf8.count + value.utf8.count + 2 <= width {
        lines[lines.count - 1] = "\(last) \(value),"
      } else {
        lines.append("\(value),")
      }
    }
    return "\(head)\n" + lines.map { "\t\($0)\n" }.joined() + "};\n"
  }

  private static func event(_ kind: RecordKind) -> String {
    var fields = ""
    var previous: StaticString = ""
    for field in kind.fields {
      let elements =
        switch field.count {
        case .one: ""
        case .times(let count): "[\(count)]"
        case .counted: "[\(previous)]"
        }
      fields += "\t\t\(type(of: field)) \(field.name)\(elements);\n"
      previous = field.name
    }
    return """
      event {
      \tid = \(kind.number);
      \tname = "\(kind.name)";
      \tstream_id = 0;
      \tfields := struct {
      \(fields)\t};
      };

      """
  }

  /// One of the types of ``CTFMetadata``.
  private static func type(of field: RecordField) -> String {
    switch field.meaning {
    case .decimal, .reserved: "\(field.isSigned ? "s" : "u")\(8 * field.width)"
    case .hexadecimal, .flags: "u\(8 * field.width)x"
    case .text: "text"
    case .result: "enum result"
    case .named(let names): "enum \(names.name)"
    }
  }
}
