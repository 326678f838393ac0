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

  /// "No failed operation" is said only where one would have been seen.
  @Test func whatCouldNotBeSeenIsNotDenied() {
    func text(_ state: (FunctionName) -> Sight.Hook.State, _ devices: [Sight.Device] = []) -> String
    {
      let sight = Sight(
        hooks: Sight.roots.map { .init($0.function, state($0.function)) }, devices: devices)
      var summary = ReportSummary(
        seen: ReportSummaryTests.seen, loss: LossSummary(problems: sight.blindness))
      summary.sight = sight
      // as one line
      return ReportText.summaryTable(FailureTotals([]), summary, style: .plain())
        .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    #expect(
      text { _ in .attached }
        == "no failed operation: 12 operations (10 reg_mr, 2 page_fault) seen")
    #expect(
      text { _ in .waiting }
        == "no failed operation: the RDMA core (ib_uverbs) was not loaded when it ended: 12 operations "
        + "(10 reg_mr, 2 page_fault) seen")
    let none = text { _ in .missing(.forcedOff) }
    #expect(none.hasPrefix("nothing was watched: whether an operation failed is not known"))
    #expect(!none.contains("no failed operation"))
    let some = text {
      $0 == "ib_uverbs_reg_mr" ? .missing(.notAttached("EBUSY")) : .attached
    }
    #expect(some.hasPrefix("no failed operation recorded, and not all would have been seen"))
    #expect(some.hasSuffix("ib_uverbs_reg_mr: it could not be attached: EBUSY."))
    #expect(
      text({ _ in .attached }, [.init(name: "siw0", driver: "siw")]).hasPrefix(
        "no failed operation recorded, and not all would have been seen"))
    // mended ones are no reason to be sure of the others
    var summary = ReportSummary(loss: LossSummary(problems: ["cut"]))
    #expect(
      ReportText.summaryTable(
        FailureTotals([DiagnosisSamples.pinnedFSDAX]), summary, style: .plain()
      ).hasPrefix("no failed operation recorded, 1 mended by the program itself\n"))
    summary.loss.problems = []
    #expect(
      ReportText.summaryTable(
        FailureTotals([DiagnosisSamples.pinnedFSDAX]), summary, style: .plain()
      ).hasPrefix("no failed operation, 1 mended by the program itself\n"))
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
