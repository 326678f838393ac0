// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@testable import Terminal
@testable import mrtrace

@Suite struct ExplainTests {
  @Test(arguments: [
    ("0x8400000028040267", UInt64(0x8400_0000_2804_0267)),
    ("8400000028040267", 0x8400_0000_2804_0267),
    ("0X27", 0x27), ("0", 0), ("ffffffffffffffff", .max),
  ])
  func values(_ text: String, _ value: UInt64) {
    #expect(ExplainKernel.value(text) == value)
  }

  @Test(arguments: ["", "0x", "0x1g", "-1", "10000000000000000", "1_0", "+1"])
  func noValues(_ text: String) {
    #expect(ExplainKernel.value(text) == nil)
  }

  @Test(arguments: ["EFAULT", "efault", "14"])
  func errnos(_ text: String) {
    #expect(Errno(spelled: text) == .fault)
  }

  @Test(arguments: ["", "0", "-14", "E", "errno 14", "9999", "EFAUL"])
  func noErrnos(_ text: String) {
    #expect(Errno(spelled: text) == nil)
  }

  @Test func nearestNames() {
    let names = Cause.all.map(\.name)
    #expect(NearestName.of("pte-specal", in: names).first == "pte-special")
    #expect(NearestName.of("pin-memlock", in: names).contains("pin-memlock-limit"))
    #expect(NearestName.of("devmap", in: names) == ["pte-special-devmap"])
    #expect(NearestName.of("bogus", in: names).isEmpty)
    #expect(NearestName.of("", in: names).isEmpty)
    #expect(NearestName.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
  }

  @Test(arguments: [
    "5.4", "5.10.66", "6.12", "7.3", "8.1", "newest", "fsdax-2021", "6.1.0-56-amd64",
  ])
  func kernels(_ name: String) {
    #expect(ExplainKernel(name)?.name == name)
  }

  @Test(arguments: ["5.3", "4.19", "six", "", "6", "2021"])
  func noKernels(_ name: String) {
    #expect(ExplainKernel(name) == nil)
  }

  static let fsdax: UInt64 = 0x8400_0000_2804_0267

  @Test func theLabsKernelHasTheBug() throws {
    let broken = try #require(ExplainKernel("fsdax-2021"))
      .explain(Self.fsdax, .pte, .x86_64, devicePrivate: nil)
    #expect(broken.verdict.read == .refuses)
    #expect(broken.format.swapTypes == .v61WithDevicePrivate)
    let fixed = try #require(ExplainKernel("6.1"))
      .explain(Self.fsdax, .pte, .x86_64, devicePrivate: nil)
    #expect(fixed.verdict.read == .accepts)
    #expect(fixed.notes.isEmpty)
  }

  @Test func numberingOfSwapTypesIsToldWhereItMatters() throws {
    let kernel = try #require(ExplainKernel("6.1"))
    let raw = PageTableEntryTests.swap(type: 26, offset: 0x99)
    let debian = kernel.explain(raw, .pte, .x86_64, devicePrivate: nil)
    #expect(debian.entry.kind == .hwpoison)
    #expect(debian.notes.contains { $0.contains("without CONFIG_DEVICE_PRIVATE, as Debian") })
    let other = kernel.explain(raw, .pte, .x86_64, devicePrivate: true)
    #expect(other.entry.kind == .devicePrivateWrite)
    #expect(other.notes.contains { $0.contains("with CONFIG_DEVICE_PRIVATE") })
  }

  @Test func severalKernelsGiveOneRowEach() throws {
    let entries = try ["5.10.66", "6.12", "7.3"].map {
      try #require(ExplainKernel($0)).explain(Self.fsdax, .pte, .x86_64, devicePrivate: nil)
    }
    let lines = EntryText.render(entries, style: .plain()).split(separator: "\n")
    let row = lines.first { $0.contains("  5.10.66  ") } ?? ""
    #expect(row.contains("refused") && row.contains("DEVMAP"))
    let newer = lines.first { $0.contains("  7.3 ") } ?? ""
    #expect(newer.contains("depends") && newer.contains("SAVED_DIRTY") && !newer.contains("DEVMAP"))
  }

  @Test func jsonHasEveryField() throws {
    let entry = try #require(ExplainKernel("6.1"))
      .explain(Self.fsdax, .pte, .x86_64, devicePrivate: nil)
    let line = EntryJSON.line(entry)
    #expect(
      line.contains(#""flags":["PRESENT","RW","USER","ACCESSED","DIRTY","SPECIAL","DEVMAP","NX"]"#))
    #expect(line.contains(#""pfn":"0x28040","physical":"0x28040000","writable":true"#))
    #expect(line.contains(#"{"bits":"58","name":"DEVMAP","value":"0x1""#))
    #expect(line.contains(#""hmm":{"read":"accepts","write":"accepts""#))
  }
}
