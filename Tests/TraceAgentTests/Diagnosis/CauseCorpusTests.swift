// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Diagnosis

@Suite struct CauseCorpusTests {
  @Test(arguments: CorpusEntry.all.indices)
  func evidenceLeadsToItsCause(_ index: Int) throws {
    let entry = CorpusEntry.all[index]
    for watched in [nil, Watched.all] {
      let found = try #require(
        diagnose(entry.scene.operation, traits: entry.scene.traits, watched: watched))
      #expect(found.cause == entry.cause, "\(entry.site): \(found.summary)")
      #expect(found.confidence == entry.confidence, "\(entry.cause) \(entry.site)")
      let errno = try #require(entry.scene.diagnosis?.errno)
      #expect(Cause.named(entry.cause)?.errnos.contains(errno) == true, "\(entry.cause)")
      let neighbour = try #require(
        diagnose(entry.neighbour.operation, traits: entry.neighbour.traits, watched: watched))
      #expect(neighbour.cause != entry.cause, "\(entry.site): \(neighbour.summary)")
    }
  }

  /// Every check of every cause has its evidence, but those that no kernel's rule can reach.
  @Test func everySiteIsInTheCorpus() {
    // Device-private PMDs came with kernels that fault them back.
    let unreachable: Set = ["pte-device-private H5"]
    let covered = Set(CorpusEntry.all.map { "\($0.cause) \($0.site)" })
    let all = Set(Cause.all.flatMap { cause in cause.sites.map { "\(cause.name) \($0)" } })
    #expect(all.subtracting(covered).sorted() == unreachable.sorted())
    #expect(covered.subtracting(all).isEmpty)
  }

  enum Mutation: CaseIterable { case removed, negated, doubted, convinced }

  /// The table with one rule broken.
  private func table(without cause: Cause, _ mutation: Mutation) -> [Cause] {
    let rule = cause.find
    let broken: @Sendable (Failure) -> Finding? = { scene in
      let finding = rule(scene)
      switch mutation {
      case .removed: return nil
      case .negated: return finding == nil ? Finding(.proved, because: "mutant") : nil
      case .doubted, .convinced:
        var other = finding
        other?.confidence = mutation == .doubted ? .inferred : .proved
        return other
      }
    }
    return Cause.all.map {
      $0.name != cause.name
        ? $0
        : Cause(
          $0.name, sites: $0.sites, brief: $0.brief, errnos: $0.errnos, check: $0.check,
          advice: $0.advice, references: $0.references, find: broken)
    }
  }

  private func isNoticed(_ causes: [Cause]) -> Bool {
    CorpusEntry.all.contains { entry in
      let found = diagnose(entry.scene.operation, traits: entry.scene.traits, causes: causes)
      let other = diagnose(
        entry.neighbour.operation, traits: entry.neighbour.traits, causes: causes)
      return found?.cause != entry.cause || found?.confidence != entry.confidence
        || other?.cause == entry.cause
    }
  }

  @Test func theCorpusItselfIsQuiet() {
    #expect(!isNoticed(Cause.all))
  }

  /// A rule that breaks must break a test.
  @Test(arguments: Cause.all.map(\.name))
  func aBrokenRuleIsNoticed(_ name: String) throws {
    let cause = try #require(Cause.named(name))
    #expect(isNoticed(table(without: cause, .removed)))
    #expect(isNoticed(table(without: cause, .negated)))
    let confidences = Set(CorpusEntry.all.filter { $0.cause == name }.map(\.confidence))
    if confidences.contains(.proved) { #expect(isNoticed(table(without: cause, .doubted))) }
    if confidences.contains(.inferred) { #expect(isNoticed(table(without: cause, .convinced))) }
  }
}
