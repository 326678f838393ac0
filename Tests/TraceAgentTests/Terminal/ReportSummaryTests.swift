// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Terminal

@Suite struct ReportSummaryTests {
  static let seen: [ReportSummary.Seen] = [
    .init(kind: .regMR, count: 10), .init(kind: .adviseMR, count: 0),
    .init(kind: .pageFault, count: 2),
  ]

  @Test func totalsByCause() {
    let again = DiagnosisSamples.beyondEOF
    #expect(
      ReportText.summaryTable(
        FailureTotals([
          DiagnosisSamples.specialPage, again, again, DiagnosisSamples.pinnedFSDAX,
          DiagnosisSamples.unknown,
        ]),
        ReportSummary(seen: ReportSummaryTests.seen), style: .plain()) == """
          4 failed operations, 1 mended by the program itself, of 12 operations (10 reg_mr, 2 page_fault)
            cause               count  mended  confidence  errno       operation
            fault-beyond-eof        2          inferred    EFAULT      prefetch
            pte-special-devmap      1          proved      EFAULT      advise_mr
            pin-fsdax               1       1  proved      EOPNOTSUPP  reg_mr
            unknown                 1          unknown     EINVAL      reg_mr

          """)
  }

  @Test func oneCauseSeenInSeveralWays() {
    var other = DiagnosisSamples.beyondEOF
    other.confidence = .proved
    other.operation.kind = .adviseMR
    let text = ReportText.summaryTable(
      FailureTotals([DiagnosisSamples.beyondEOF, other]), ReportSummary(), style: .plain())
    #expect(text.hasPrefix("2 failed operations\n"))
    #expect(text.contains("inferred, proved"))
    #expect(text.contains("prefetch, advise_mr"))
  }

  @Test func noFailureIsOneLine() {
    #expect(
      ReportText.summaryTable(
        FailureTotals([]), ReportSummary(seen: ReportSummaryTests.seen), style: .plain())
        == "no failed operation: 12 operations (10 reg_mr, 2 page_fault) seen\n")
    #expect(
      ReportText.summaryTable(FailureTotals([]), ReportSummary(), style: .plain())
        == "no failed operation\n")
    #expect(
      ReportText.summaryTable(
        FailureTotals([]), ReportSummary(seen: [.init(kind: .regMR, count: 0)]), style: .plain())
        == "no failed operation: 0 operations seen\n")
  }

  @Test func aMendedFailureIsNone() {
    #expect(
      ReportText.summaryTable(
        FailureTotals([DiagnosisSamples.pinnedFSDAX]), ReportSummary(), style: .plain()
      )
      .hasPrefix("no failed operation, 1 mended by the program itself\n"))
  }

  @Test func lossIsShownOnlyWhereThereIsAny() {
    var summary = ReportSummary(
      seen: [.init(kind: .regMR, count: 10)],
      loss: LossSummary(hooks: [
        .sample("hmm_vma_walk_pmd", reported: 3, aggregated: 97),
        .sample("hmm_range_fault", reported: 2, cut: 1, aggregated: 7, lost: 1),
        .sample("pagefault_mr", aggregated: 5, missed: 27),
      ]))
    #expect(
      ReportText.summaryTable(FailureTotals([]), summary, style: .plain()) == """
        no failed operation recorded: 10 operations (10 reg_mr) seen

        Not everything was seen: the report is incomplete.
          hook             calls  reported  cut  counted  missed  records  lost
          hmm_range_fault     10         2    1        7       0        2     1
          pagefault_mr        32         0    0        5      27        0     0
        1 records found no room and are lost; they are of 1 calls.
        27 runs of hooks were missed: the kernel skipped them, or a return never came.

        """)
    summary.loss.hooks.removeLast(2)
    #expect(!ReportText.summaryTable(FailureTotals([]), summary, style: .plain()).contains("hook"))
  }

  @Test func problemsAreSaid() {
    let text = ReportText.summaryTable(
      FailureTotals([]),
      ReportSummary(loss: LossSummary(problems: ["stream_1 ends in the middle of a packet"])),
      style: .plain())
    #expect(
      text == "no failed operation recorded\nstream_1 ends in the middle of a packet\n")
  }

  /// Counts of a hostile recording.
  @Test func countsDoNotOverflow() {
    let text = ReportText.summaryTable(
      FailureTotals([]),
      ReportSummary(seen: [.init(kind: .regMR, count: .max), .init(kind: .prefetch, count: .max)]),
      style: .plain())
    #expect(text.contains("18446744073709551615 operations"))
  }
}
