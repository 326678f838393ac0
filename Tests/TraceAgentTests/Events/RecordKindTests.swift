// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Model
import Testing

@testable import Operations

/// The table of record kinds says what bpf/events.h says, which is read here as text: kinds, members,
/// widths, and the names of numbers.
@Suite struct RecordKindTests {
  private static let header = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../bpf/events.h")

  private let source: String

  init() throws {
    source = try String(contentsOf: Self.header, encoding: .utf8)
  }

  /// A member of a C struct.
  private struct Member: Equatable {
    var name: String
    var width: Int
    var isSigned: Bool
    /// Elements of an array, as it is declared.
    var length: Int?
    var isText: Bool
    /// "mrt_rung" where its comment names that enum.
    var enumeration: String?
    var size: Int { width * (length ?? 1) }
  }

  /// `enum mrt_kind`: "owner" = 15.
  private func kinds() throws -> [String: UInt32] {
    try numbers(of: "mrt_kind", prefix: "MRT_KIND_")
  }

  /// The names of an enum without `prefix`, in small letters.
  private func numbers(of name: String, prefix: String) throws -> [String: UInt32] {
    let body = try #require(
      source.firstMatch(
        of: try Regex("\nenum \(name) \\{\n([^}]*)\\};", as: (Substring, Substring).self)))
    var numbers: [String: UInt32] = [:]
    for match in body.1.matches(of: /\n?\t([A-Z0-9_]+) = ([0-9]+),/) {
      #expect(match.1.hasPrefix(prefix))
      numbers[match.1.dropFirst(prefix.count).lowercased()] = try #require(UInt32(match.2))
    }
    return numbers
  }

  /// A `#define` of a number, or the number itself.
  private func number(_ text: some StringProtocol) throws -> Int {
    if let number = Int(text) { return number }
    let define = try Regex("\n#define \(text)\\s+([0-9]+)", as: (Substring, Substring).self)
    let match = try #require(source.firstMatch(of: define))
    return try #require(Int(match.1))
  }

  /// The members of a struct; those of a struct inside stand in its place.
  private func members(of name: String) throws -> [Member] {
    let body = try #require(
      source.firstMatch(
        of: try Regex("\nstruct \(name) \\{\n([^}]*)\\};", as: (Substring, Substring).self)),
      "struct \(name)")
    let scalars = [
      "mrt_u8": (1, false), "mrt_u32": (4, false), "mrt_s32": (4, true), "mrt_u64": (8, false),
      "mrt_s64": (8, true),
    ]
    var members: [Member] = []
    for line in body.1.split(separator: "\n") where line.contains(";") {
      let match = try #require(
        line.wholeMatch(of: /\t(struct )?([a-z0-9_]+) ([a-z0-9_]+)(?:\[([A-Z0-9_]+)\])?;(.*)/),
        "\(line)")
      if match.1 != nil {
        members += try self.members(of: String(match.2))
        continue
      }
      let (width, isSigned) = try #require(scalars[String(match.2)], "\(line)")
      members.append(
        Member(
          name: String(match.3), width: width, isSigned: isSigned,
          length: try match.4.map { try number($0) }, isText: match.2 == "mrt_u8",
          enumeration: match.5.firstMatch(of: /enum (mrt_[a-z_]+)/).map { String($0.1) }))
    }
    return members
  }

  /// What `_Static_assert` holds the struct's size to: with it the C compiler says that no byte is
  /// between the members.
  private func assertedSize(of name: String) throws -> Int {
    let match = try #require(
      source.firstMatch(
        of: try Regex(
          "_Static_assert\\(sizeof\\(struct \(name)\\) == ([0-9]+)(?: \\+ (?:([0-9]+) \\* )?([A-Z_]+))?,",
          as: (Substring, Substring, Substring?, Substring?).self)), "\(name)")
    let fixed = try number(match.1)
    guard let count = match.3 else { return fixed }
    return fixed + (try number(match.2 ?? "1")) * (try number(count))
  }

  @Test func everyKindHasItsRow() throws {
    let kinds = try kinds()
    #expect(kinds.count >= 22)
    #expect(Set(kinds.values).count == kinds.count)
    let rows = Dictionary(
      RecordKind.all.map { ($0.name, $0.number) }, uniquingKeysWith: { first, _ in first })
    #expect(rows == kinds)
    #expect(RecordKind.all.count == kinds.count)
    for (name, number) in kinds {
      #expect(RecordKind.of(number)?.name == name)
      #expect(RecordKind.name(of: number) == name)
    }
    for number in [0, (kinds.values.max() ?? 0) + 1, .max] {
      #expect(RecordKind.of(number) == nil)
      #expect(RecordKind.name(of: number) == "unknown")
      #expect(RecordLayout.of(kind: number) == nil)
    }
  }

  /// Name, place, width and sign of every field; together they are all bytes of the record.
  @Test(arguments: RecordKind.all.map(\.name))
  func fieldsAreThoseOfTheStruct(name: String) throws {
    let kind = try #require(RecordKind.all.first { $0.name == name })
    let all = try members(of: "mrt_\(name)")
    #expect(all.reduce(0) { $0 + $1.size } == (try assertedSize(of: "mrt_\(name)")))
    let header = try members(of: "mrt_header")
    #expect(Array(all.prefix(header.count)) == header)
    let members = Array(all.dropFirst(header.count))
    try #require(
      members.map(\.name).map(Self.plain) == kind.fields.map { Self.plain("\($0.name)") })
    var offset = MemoryLayout<mrt_header>.size
    for ((field, place), member) in zip(kind.places, members) {
      #expect(place == offset, "\(field.name)")
      #expect(field.width == member.width, "\(field.name)")
      #expect(field.isSigned == member.isSigned, "\(field.name)")
      switch field.count {
      case .one: #expect(member.length == nil, "\(field.name)")
      case .times(let count): #expect(member.length == count, "\(field.name)")
      case .counted(let max): #expect(member.length == max, "\(field.name)")
      }
      var isReserved = false
      var isText = false
      switch field.meaning {
      case .reserved: isReserved = true
      case .text: isText = true
      case .named(let names):
        #expect(member.enumeration == nil || Self.enums[member.enumeration!] == names.name)
      default: #expect(member.enumeration == nil, "\(field.name) is a plain number")
      }
      #expect(isReserved == member.name.hasPrefix("reserved"), "\(field.name)")
      #expect(isText == member.isText, "\(field.name)")
      offset += member.size
    }
    // A C struct has one `reserved` for each struct that is in it; CTF wants different names.
    #expect(Set(kind.fields.map { "\($0.name)" }).count == kind.fields.count)
  }

  /// `reserved2` is a `reserved` too.
  private static func plain(_ name: String) -> String {
    name.hasPrefix("reserved") ? "reserved" : name
  }

  /// Which names of numbers are which enum's.
  private static let enums = [
    "mrt_operation_kind": "operation_kind", "mrt_rung": "rung", "mrt_entries_what": "entries_what",
    "mrt_stack_what": "stack_what", "mrt_zone": "zone", "mrt_refusal_what": "refusal_what",
  ]

  /// The sizes that decoding goes by: of a record without a tail its C struct's, of one with a tail
  /// where that begins.
  @Test(arguments: RecordKind.all.map(\.name))
  func layoutFollows(name: String) throws {
    let kind = try #require(RecordKind.all.first { $0.name == name })
    let members = try members(of: "mrt_\(name)")
    let layout = try #require(RecordLayout.of(kind: kind.number))
    let size = try assertedSize(of: "mrt_\(name)")
    guard case .counted(let max) = kind.fields.last?.count else {
      #expect(layout.tail == nil)
      #expect(layout.fixedSize == size)
      return
    }
    let tail = try #require(members.last)
    let count = members[members.count - 2]
    #expect(count.width == 4 && !count.isSigned)
    #expect(count.name == "count" || count.name == "\(tail.name)_size")
    let found = try #require(layout.tail)
    #expect(layout.fixedSize == size - tail.size)
    #expect(found.countOffset == layout.fixedSize - count.width)
    #expect(found.stride == tail.width)
    #expect(found.max == max)
    #expect(
      kind.fields.dropLast().allSatisfy { if case .counted = $0.count { false } else { true } })
  }

  /// Numbers and names of the enums of events.h, which readers see without their prefix.
  @Test(arguments: [
    ("mrt_operation_kind", "MRT_OP_"), ("mrt_rung", "MRT_RUNG_"),
    ("mrt_entries_what", "MRT_ENTRIES_"),
    ("mrt_stack_what", "MRT_STACK_"), ("mrt_zone", "MRT_ZONE_"),
    ("mrt_refusal_what", "MRT_REFUSAL_"),
  ])
  func namesAreThoseOfTheEnum(name: String, prefix: String) throws {
    let table = try #require(RecordEnumeration.all.first { $0.name == Self.enums[name] })
    let numbers = try numbers(of: name, prefix: prefix)
    #expect(!numbers.isEmpty)
    #expect(
      Dictionary(
        table.values.map { ($0.name.lowercased(), $0.number) },
        uniquingKeysWith: { first, _ in first })
        == numbers)
  }

  /// Every enum that a member of a record is of has names; so has every set of names that a field has.
  @Test func everyEnumHasNames() throws {
    for kind in RecordKind.all {
      for member in try members(of: "mrt_\(kind.name)").dropFirst(8) {
        if let name = member.enumeration { #expect(Self.enums[name] != nil, "\(name)") }
      }
      for field in kind.fields {
        switch field.meaning {
        case .named(let names):
          #expect(!names.isFlags)
          #expect(RecordEnumeration.all.contains { $0.name == names.name }, "\(names.name)")
        case .flags(let names):
          #expect(names.isFlags)
          #expect(RecordEnumeration.all.contains { $0.name == names.name }, "\(names.name)")
        default: break
        }
      }
    }
    for (name, define) in [
      ("walked", "MRT_ENTRIES_WALKED"), ("faulted", "MRT_ENTRIES_FAULTED"),
      ("accepted", "MRT_ENTRIES_ACCEPTED"),
    ] { #expect(RecordEnumeration.entriesSearch.name(of: UInt32(try number(define))) == name) }
    for (name, define) in [
      ("accepted", "MRT_PAGES_ACCEPTED"), ("in_failed_walk", "MRT_PAGES_FAILED"),
    ] {
      #expect(RecordEnumeration.pagesOutcome.name(of: UInt32(try number(define))) == name)
    }
    #expect(RecordEnumeration.rung.name(of: 9) == "9")
    #expect(RecordEnumeration.rung.known(9) == nil)
  }

  /// What the agent calls them is what readers of the recording see.
  @Test func meaningsHaveTheSameNames() {
    for value in RecordEnumeration.operationKind.values {
      #expect(Operation.Kind(number: value.number)?.rawValue == value.name)
    }
    for value in RecordEnumeration.rung.values {
      #expect(Rung(value.number).rawValue == value.name)
    }
    for value in RecordEnumeration.refusalWhat.values {
      #expect(RefusalEvidence.What(value.number)?.rawValue == value.name)
    }
    for value in RecordEnumeration.zone.values {
      #expect(FolioEvidence.Zone(value.number)?.rawValue.uppercased() == value.name)
    }
  }

  /// An empty record of each kind is decoded as that kind, and encoded to the same bytes.
  @Test func everyKindIsDecodedAsItself() throws {
    for kind in RecordKind.all {
      let event = kind.empty
      #expect(event.kindName == kind.name)
      #expect(event.kind?.number == kind.number)
      #expect(event.header.kind == kind.number)
      var bytes = [UInt8](repeating: 0, count: kind.layout.fixedSize)
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: kind.number, toByteOffset: 8, as: UInt32.self)
        $0.storeBytes(of: UInt32(kind.layout.fixedSize), toByteOffset: 12, as: UInt32.self)
      }
      #expect(event.encoded() == bytes, "\(kind.name)")
    }
  }
}
