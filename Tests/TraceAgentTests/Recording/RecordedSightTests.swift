// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Recording
@testable import Report

/// What a recording says of what it could not see.
@Suite struct RecordedSightTests {
  private func environment(_ note: String?, rung: Rung = .absent) -> RecordingEnvironment {
    var environment = SampleRecording.environment
    environment.hookPlan = Sight.roots.enumerated().map { index, root in
      .init(
        hook: UInt32(index + 1), symbol: root.function, module: "ib_uverbs",
        rung: note == nil ? .fexit : rung, note: note)
    }
    return environment
  }

  private func run(_ environment: RecordingEnvironment) throws -> RecordedRun {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("rec"), rounds: 1, environment: environment)
    let run = try RecordedRuns.open([scratch("rec")]).runs[0]
    var records = run.views()
    while records.next() != nil {}
    return run
  }

  @Test func devicesAndLateModulesAreKept() throws {
    var environment = environment(nil)
    environment.devices = [
      .init(name: "rxe0", driver: "rdma_rxe"), .init(name: "siw0", driver: "siw"),
      .init(name: "x", driver: nil),
    ]
    environment.unwatched = [
      .init(module: "ib_uverbs", fromNs: 5_000_000, toNs: 12_000_000, isFirst: true),
      .init(module: "rdma_rxe", fromNs: 1_000_000, toNs: 4_000_000),
    ]
    let run = try run(environment)
    #expect(run.environment.devices == environment.devices)
    #expect(run.environment.unwatched == environment.unwatched)
    let problems = run.problems
    #expect(
      problems.contains { $0.hasPrefix("Module ib_uverbs was loaded while") && $0.contains("7 ms") }
    )
    #expect(
      problems.contains { $0.hasPrefix("Module rdma_rxe was unloaded") && $0.contains("3 ms") })
    #expect(problems.contains { $0.hasPrefix("Of siw0 (driver siw)") })
    #expect(problems.last?.hasPrefix("Of x (driver not known)") == true)
    #expect(!problems.contains { $0.contains("rxe0") })
  }

  @Test func whereAllIsSeenNothingIsSaid() throws {
    #expect(try run(environment(nil)).problems.isEmpty)
    #expect(try run(environment("ib_uverbs is not loaded", rung: .later)).problems.isEmpty)
  }

  @Test(arguments: [
    "could not be attached: EBUSY", "forced off", "its program was refused by this kernel",
  ])
  func whatWasNotHookedIsSaidAtTheEnd(note: String) throws {
    let run = try run(environment(note))
    #expect(run.problems.last?.hasPrefix("No operation is seen, failed or not") == true)
    let report = RecordingReport.load(run, keepAll: false)
    #expect(!report.summary.isComplete && report.summary.sight?.seesNothing == true)
    #expect(report.summary.losses.last == run.problems.last)
  }

  /// The fixtures are of whole plans.
  @Test(arguments: FormatVersionTests.fixtures)
  func olderRecordingsAreNotBlamed(fixture: String) throws {
    let report = try RecordingReport.load(try RecordingFixture.path(fixture), keepAll: false)
    #expect(report.environment.sight.blindness.isEmpty)
  }
}
