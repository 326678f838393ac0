// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct WhatIfTests {
  /// "outcome generation" of each answer.
  private func answers(_ scene: Scene) throws -> [String] {
    let diagnosis = try #require(scene.diagnosis)
    for answer in diagnosis.whatIf {
      #expect(answer.sentence.hasPrefix("computed: the rules of "))
    }
    return diagnosis.whatIf.map { "\($0.outcome.rawValue) \($0.generation)" }
  }

  private func entry(_ entry: UInt64, on kernel: Scene.Kernel = .v61) -> Scene {
    var scene = Scene(.adviseMR, .fault, on: kernel)
    scene.walkTable([Scene.plain, entry], last: 0)
    scene.map(.fsdax)
    scene.outward()
    return scene
  }

  @Test func devmap() throws {
    let scene = entry(Scene.devmap)
    #expect(
      try answers(scene) == [
        "refuses 5.10 to 5.14 (before 5.10.67, 5.13.19 and 5.14.6)",
        "accepts 5.15 and later (also 5.10.67, 5.13.19 and 5.14.6)",
      ])
    let accepts = try #require(scene.diagnosis?.whatIf.last?.sentence)
    #expect(
      accepts
        == "computed: the rules of 5.15 and later (also 5.10.67, 5.13.19 and 5.14.6) accept this "
        + "PTE, whichever bit is DEVMAP there (from 6.15 on such a page has an ordinary PTE)")
  }

  /// The same meaning, whatever the bit: 57 on 6.12.
  @Test func devmapOfAnotherGeneration() throws {
    let newer = Scene.special | 1 << 57
    #expect(try answers(entry(newer, on: .v612)) == answers(entry(Scene.devmap)))
  }

  @Test func whatAllRefuse() throws {
    var special = entry(Scene.special)
    special.operation.mappings[0].vmFlags |= VMAFlags.mixedMap.rawValue
    #expect(try answers(special) == ["refuses 5.10 and later"])
    #expect(
      special.diagnosis?.whatIf.first?.sentence
        == "computed: the rules of every kernel from 5.10 to 7.3 refuse this PTE")
    #expect(try answers(entry(Scene.swap(22, 5))) == ["refuses 5.10 and later"])
  }

  @Test func devicePrivate() throws {
    #expect(
      try answers(entry(Scene.swap(30, 5), on: .v510)) == [
        "refuses 5.10 to 5.18", "faults 5.19 and later",
      ])
  }

  @Test func guards() throws {
    let scene = entry(Scene.swap(31, 4), on: .v72)
    #expect(try answers(scene) == ["faults 6.13 to 6.18", "refuses 7.0 and later"])
    #expect(
      scene.diagnosis?.whatIf.first?.sentence
        == "computed: the rules of 6.13 to 6.18 try a fault for this PTE, which fails as well "
        + "(VM_FAULT_SIGSEGV)")
  }

  @Test func mixedMap() throws {
    var scene = Scene(.adviseMR, .fault, on: .v510)
    scene.traits.rejectsMixedMap = true
    scene.walk("hmm_vma_walk_test")
    scene.map(.driver, [.read, .write, .mixedMap])
    scene.outward()
    #expect(
      try answers(scene) == [
        "refuses 5.10 to 5.16 (before 5.10.94)", "accepts 5.17 and later (also 5.10.94)",
      ])
    scene.operation.mappings[0].vmFlags |= VMAFlags.io.rawValue
    #expect(try answers(scene) == ["refuses 5.10 and later"])
  }

  @Test func pins() throws {
    var file = Scene.pin(.fault)
    file.map(.disk)
    #expect(try answers(file) == ["accepts 5.10 to 6.4", "refuses 6.5 and later"])
    var forced = Scene.pin(.fault, on: .v61, access: 4)
    forced.map(.tmpfs, [.read])
    #expect(try answers(forced) == ["refuses 5.10 to 6.1", "accepts 6.2 and later"])
    var fsdax = Scene.pin(.opnotsupp)
    fsdax.map(.fsdax)
    #expect(try answers(fsdax) == ["refuses 5.10 and later"])
    var secret = Scene.pin(.fault)
    secret.map(.tmpfs)
    secret.operation.mappings[0].file?.filesystem = "secretmem"
    #expect(try answers(secret) == ["refuses 5.15 and later"])
  }

  @Test func nothingRejected() throws {
    #expect(try answers(FaultCauseTests.short(.tmpfs, pages: 6, entries: [0])) == [])
    var gap = Scene.pin(.fault)
    gap.gap(3)
    try gap.expect("mapping-missing", page: 3)
    #expect(try answers(gap) == [])
    #expect(try answers(Scene(.regMR, .fault)) == [])
  }
}
