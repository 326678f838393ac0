// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Model
@testable import Terminal

@Suite struct ComparisonTests {
  /// `failures` of `seen` prefetches, each `durationNs` long and at a special page.
  private func side(
    _ failures: [Diagnosis], seen: UInt64, accepted: UInt64 = 0, durations: [UInt64] = []
  ) -> ComparisonSide {
    var latencies = OperationLatencies()
    for duration in durations {
      var operation = Operation(
        kind: .adviseMR, runner: .init(pid: 1, tid: 1, comm: "a"), endNs: 1000 + duration, result: 0
      )
      operation.startNs = 1000
      latencies.add(operation)
    }
    var pages: [PageCount] = []
    if accepted > 0, let page = DiagnosisSamples.specialPage.page, let raw = page.raw {
      pages.append(
        PageCount(
          entry: DecodedEntry(
            raw: raw, level: .pte, kind: .present, flags: page.flags, pfn: nil, isWritable: true,
            isSpecial: true, isDevmap: true), outcome: .accepted, counted: accepted, weight: 1))
    }
    return ComparisonSide(
      recording: "rec", host: "node7", kernel: "6.1.0", buildID: "0123456789abcdef",
      machine: "x86_64", detail: "operations", startWallNs: 1_700_000_000_000_000_000,
      hooks: [.init(function: "hmm_range_fault", rung: "fexit", isAttached: true)],
      failures: FailureTotals(failures), latencies: latencies,
      summary: ReportSummary(seen: [.init(kind: .adviseMR, count: seen)], pages: pages))
  }

  private func object(_ comparison: Comparison) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(comparison.jsonLine.utf8)) as? [String: Any])
  }

  private let special = DiagnosisSamples.specialPage

  @Test func theFindingNamesWhatChangedMost() {
    let twelve = Array(repeating: special, count: 12)
    let comparison = Comparison(before: side(twelve, seen: 14), after: side([], seen: 14))
    #expect(comparison.finding == "pte-special-devmap: 12 before, 0 after.")
    #expect(comparison.warnings.isEmpty)
    #expect(comparison.text(style: .plain()).hasPrefix(comparison.finding + "\n\n"))
    let back = Comparison(before: side([], seen: 14), after: side(twelve, seen: 14))
    #expect(back.finding == "pte-special-devmap: 0 before, 12 after.")
    let both = Comparison(
      before: side(twelve + [DiagnosisSamples.unknown], seen: 14),
      after: side([DiagnosisSamples.beyondEOF, DiagnosisSamples.beyondEOF], seen: 14))
    #expect(
      both.finding
        == "pte-special-devmap: 12 before, 0 after; fault-beyond-eof: 0 before, 2 after; "
        + "unknown: 1 before, 0 after.")
  }

  @Test func nothingChangedIsSaid() {
    #expect(
      Comparison(before: side([], seen: 3), after: side([], seen: 3)).finding
        == "No failure before, none after.")
    let same = Comparison(before: side([special], seen: 3), after: side([special], seen: 9))
    #expect(same.finding == "Every cause is as frequent as before: 1 failure each time.")
    #expect(same.causes.map(\.count.isSame) == [true])
  }

  @Test func ratesAreOfWhatWasSeen() throws {
    let comparison = Comparison(
      before: side([special, special], seen: 3), after: side([special], seen: 8))
    let text = comparison.text(style: .plain())
    #expect(text.contains("2 of 3 (66.7 %)"))
    #expect(text.contains("1 of 8 (12.5 %)"))
    // Where successes were not recorded, how many there were is not known.
    var failuresOnly = side([special], seen: 1)
    failuresOnly.detail = "failures"
    let other = Comparison(before: side([special], seen: 3), after: failuresOnly)
    #expect(other.text(style: .plain()).contains("1 of ?"))
    #expect(other.warnings.count == 1)
    #expect(other.warnings[0].contains("--detail operations before and --detail failures after"))
    let rates = try #require(try object(other)["rates"] as? [[String: Any]])
    #expect((rates[0]["before"] as? [String: Any])?["seen"] as? Int == 3)
    #expect((rates[0]["after"] as? [String: Any])?["seen"] == nil)
  }

  @Test func flagsThatFailedAndNowDoNot() throws {
    let comparison = Comparison(
      before: side([special, special], seen: 2), after: side([], seen: 2, accepted: 16))
    let text = comparison.text(style: .plain(width: 200))
    #expect(
      text.contains(
        "SPECIAL|DEVMAP: 2 operations failed at such a page before, none after, where about 16 such "
      ))
    let flags = try #require(try object(comparison)["flags"] as? [[String: Any]])
    let row = try #require(
      flags.first { ($0["flags"] as? [String])?.contains("DEVMAP") ?? false })
    #expect((row["before"] as? [String: Int])?["decided"] == 2)
    #expect((row["after"] as? [String: Int])?["decided"] == 0)
    #expect((row["after"] as? [String: Int])?["accepted"] == 16)
  }

  @Test func latenciesOfEachKindAndResult() throws {
    let comparison = Comparison(
      before: side([], seen: 100, durations: (1...100).map { $0 * 1000 }),
      after: side([], seen: 100, durations: (1...100).map { $0 * 3000 }))
    let latencies = try #require(try object(comparison)["latencies"] as? [[String: Any]])
    #expect(latencies.count == 1)
    #expect(latencies[0]["operation"] as? String == "advise_mr")
    #expect(latencies[0]["result"] as? String == "ok")
    let before = try #require(latencies[0]["before"] as? [String: Int])
    #expect(before["count"] == 100)
    #expect(before["max_ns"] == 100_000)
    let median = try #require(before["p50_ns"])
    #expect((50_000...50_390).contains(median))
    let text = comparison.text(style: .plain())
    #expect(text.contains("x3.0"))
    #expect(text.contains("300.0 us"))
  }

  @Test func hooksThatOnlyOneSideHadAreAWarning() throws {
    var after = side([], seen: 1)
    // The same function under a name of this build.
    after.hooks = [
      .init(function: "hmm_range_fault.constprop.0", rung: "kprobe", isAttached: true),
      .init(function: "hmm_vma_handle_pte", rung: "fexit", isAttached: true),
      .init(function: "dax_iomap_fault", rung: "not in this kernel", isAttached: false),
    ]
    let comparison = Comparison(before: side([], seen: 1), after: after)
    #expect(comparison.hooks.map(\.function) == ["hmm_vma_handle_pte"])
    #expect(comparison.warnings.count == 1)
    #expect(comparison.warnings[0].hasSuffix(": hmm_vma_handle_pte only after."))
  }

  @Test func whatMayBeLossIsMarked() throws {
    var after = side([], seen: 3)
    after.summary.loss.problems = ["stream_0 lacks 2 packets before byte 0."]
    let comparison = Comparison(before: side([special], seen: 3), after: after)
    #expect(comparison.isDoubtful)
    #expect(
      comparison.warnings == [
        "Not everything was recorded after, so that differences may be due to that: stream_0 lacks 2 "
          + "packets before byte 0."
      ])
    let text = comparison.text(style: .plain())
    #expect(text.contains("-1 ?"))
    #expect(text.contains("?: may be due to what was not recorded."))
    #expect(try object(comparison)["doubtful"] as? Bool == true)
    let whole = Comparison(before: side([special], seen: 3), after: side([], seen: 3))
    #expect(!whole.text(style: .plain()).contains("?"))
  }

  /// Dictionaries have another order in each process: the text has not.
  @Test func orderIsOfTheRowsAlone() {
    let some = [special, DiagnosisSamples.beyondEOF, DiagnosisSamples.unknown, special]
    let comparison = Comparison(before: side(some, seen: 9), after: side([], seen: 9))
    #expect(
      comparison.causes.map(\.cause) == ["pte-special-devmap", "fault-beyond-eof", "unknown"])
    let reversed = Comparison(before: side(some.reversed(), seen: 9), after: side([], seen: 9))
    #expect(reversed.causes == comparison.causes)
    #expect(reversed.flags == comparison.flags)
    #expect(reversed.jsonLine == comparison.jsonLine)
  }
}
