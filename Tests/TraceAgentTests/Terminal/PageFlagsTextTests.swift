// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Terminal

@Suite struct PageFlagsTextTests {
  static let format = PageTableFormat.forRelease(KernelRelease(6, 1))
  static let fsdax: UInt64 = 0x8400_0000_0000_0267
  static let plain: UInt64 = 0x8000_0000_0000_0067

  static func count(
    _ raw: UInt64, _ outcome: PageCount.Outcome, _ counted: UInt64, weight: UInt64 = 1,
    level: PageTableLevel = .pte
  ) -> PageCount {
    PageCount(
      entry: format.decode(raw, level: level), outcome: outcome, counted: counted, weight: weight)
  }

  static func walks(_ seen: UInt64) -> LossSummary {
    LossSummary(hooks: [.sample("hmm_vma_walk_pmd", aggregated: seen)])
  }

  static func text(_ diagnoses: [Diagnosis], _ summary: ReportSummary) -> [String] {
    var block = TextBlock(style: .plain())
    PageFlagsText.append(FailureTotals(diagnoses), summary, to: &block)
    return block.lines
  }

  @Test func fewWalksAreExact() {
    let pages = [
      Self.count(Self.fsdax, .inFailedWalk, 16), Self.count(Self.plain, .accepted, 32),
      // ACCESSED and DIRTY decide nothing.
      Self.count(Self.plain & ~0x60, .accepted, 8),
      Self.count(0, .inFailedWalk, 3),
    ]
    let special = DiagnosisSamples.specialPage
    #expect(
      Self.text([special, special], ReportSummary(loss: Self.walks(10), pages: pages)) == [
        "Page-table flags of the pages that HMM walked:",
        "  flags              pages accepted  in failed walks  decided a failure",
        "  RW SPECIAL DEVMAP               0               16                  2",
        "  RW                             40                0                  0",
        "  no entry                        0                3                  0",
        "  SPECIAL|DEVMAP: 2 operations failed at such a page, none was accepted.",
      ])
  }

  @Test func sampledPagesAreAbout() {
    let pages = [
      Self.count(Self.plain, .accepted, 10, weight: 64), Self.count(Self.plain, .accepted, 5),
      Self.count(Self.fsdax, .inFailedWalk, 16),
    ]
    let lines = Self.text(
      [DiagnosisSamples.specialPage], ReportSummary(loss: Self.walks(700), pages: pages))
    #expect(lines.contains { $0.contains("about 645") })
    #expect(
      lines.contains("  SPECIAL|DEVMAP: 1 operation failed at such a page, none was seen accepted.")
    )
    #expect(lines.joined(separator: " ").contains("one walk in 64"))
  }

  /// Between the 65th walk and the next that is looked at, all weights are 1, and pages are missing.
  @Test func weightsAloneDoNotMakeItExact() {
    let pages = [Self.count(Self.fsdax, .accepted, 5), Self.count(Self.fsdax, .inFailedWalk, 5)]
    let many = Self.text(
      [DiagnosisSamples.specialPage], ReportSummary(loss: Self.walks(65), pages: pages))
    #expect(many.contains { $0.contains("about 5 were accepted") })
    let few = Self.text(
      [DiagnosisSamples.specialPage], ReportSummary(loss: Self.walks(64), pages: pages))
    #expect(few.contains { $0.contains("at such a page, 5 were accepted") })
    let untold = Self.text([DiagnosisSamples.specialPage], ReportSummary(pages: pages))
    #expect(untold.contains { $0.contains("about 5 were accepted") })
  }

  @Test func kindsOfEntriesStandApart() {
    let guardEntry = PageTableFormat.forRelease(KernelRelease(7, 3))
      .decode(0xffff_ffff_ffff_f600, level: .pte)
    let pages = [
      PageCount(entry: guardEntry, outcome: .inFailedWalk, counted: 1, weight: 1),
      Self.count(Self.plain | 0x80, .accepted, 512, level: .pmd),
      Self.count(Self.plain & ~2, .accepted, 1),
    ]
    let rows = PageFlagsText.rows(decided: [:], pages)
    #expect(rows.map(\.flags) == [["2 MiB", "RW"], ["PRESENT"], ["PTE_MARKER_GUARD"]])
    #expect(rows.map(\.telling) == [nil, nil, "PTE_MARKER_GUARD"])
  }

  @Test func nothingCountedNothingTold() {
    #expect(Self.text([DiagnosisSamples.specialPage], ReportSummary()).isEmpty)
  }

  @Test func hugeCountsDoNotTrap() {
    let pages = [
      Self.count(Self.plain, .accepted, .max, weight: 64), Self.count(Self.plain, .accepted, 5),
    ]
    #expect(PageFlagsText.rows(decided: [:], pages).first?.accepted == .max)
  }

  @Test func whatIfIsMarkedAsComputed() {
    var diagnosis = DiagnosisSamples.specialPage
    let sentence = "computed: the rules of 5.15 and later accept this PTE"
    diagnosis.whatIf = [.init(generation: "5.15 and later", outcome: .accepts, sentence: sentence)]
    let text = ReportText.render(diagnosis, index: nil, style: .plain())
    #expect(text.contains("  what if  \(sentence)\n"))
    let line = DiagnosisJSON.line(diagnosis, clockOffsetNs: nil)
    #expect(
      line.contains(
        #""what_if":[{"kernels":"5.15 and later","outcome":"accepts","sentence":"\#(sentence)"}]"#))
    diagnosis.whatIf = []
    #expect(!ReportText.render(diagnosis, index: nil, style: .plain()).contains("what if"))
    #expect(!DiagnosisJSON.line(diagnosis, clockOffsetNs: nil).contains("what_if"))
  }
}
