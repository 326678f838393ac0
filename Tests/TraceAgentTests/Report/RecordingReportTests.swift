// SPDX-License-Identifier: Apache-2.0

import CEvents
import Testing

@testable import Report
@testable import Terminal

@Suite struct RecordingReportTests {
  /// From the bytes of a recording to the table, by the format of the kernel that wrote them.
  @Test func pageCountsComeFromTheRecording() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    let report = try RecordingReport.load(scratch("r"), keepAll: false)
    // Two CPUs, three rounds, 4096 pages each.
    let counted = report.summary.pages.filter { $0.outcome == .inFailedWalk }
    #expect(counted.map(\.counted) == [6 * 4096])
    #expect(counted.first?.entry.isDevmap == true)
    #expect(report.summary.pageSample == UInt64(MRT_PAGES_SAMPLE))
    #expect(report.summary.losses.contains { $0.contains("had no room to follow") })
    let lines = report.text().split(separator: "\n")
    let row = lines.first { $0.hasPrefix("  RW SPECIAL DEVMAP ") } ?? ""
    #expect(row.split(separator: " ").contains("24576"))
  }
}
