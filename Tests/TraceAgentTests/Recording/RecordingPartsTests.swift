// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Recording

@Suite struct RecordingPartsTests {
  @Test func partsAreInOrderOfTheirNumbers() throws {
    let scratch = try ScratchDirectory()
    for name in ["part-000010", "part-000002", "part-1234567", "part-000000", "part-3", "part-x"] {
      try FileManager.default.createDirectory(
        atPath: scratch("r/\(name)"), withIntermediateDirectories: true)
    }
    #expect(
      RecordingParts.of(scratch("r"))
        == ["part-000002", "part-000010", "part-1234567"].map { scratch("r/\($0)") })
  }

  @Test func whatHasNoPartsIsItsOwn() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    #expect(RecordingParts.of(scratch("r")) == [scratch("r")])
    #expect(RecordingParts.of(scratch("none")) == [scratch("none")])
  }
}
