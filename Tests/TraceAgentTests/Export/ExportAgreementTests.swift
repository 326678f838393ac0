// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Export

/// The same operations come out of every format, read by readers that know nothing of the writers.
struct ExportAgreementTests {
  @Test func everyFormatTellsTheSame() throws {
    let expected = try OperationKeys.ofJSONLines(ExportedFixture(.jsonl))
    #expect(expected.values.reduce(0, +) == 16)
    #expect(expected.keys.count { $0.errno != nil } == 5)
    #expect(try OperationKeys.ofCSV(ExportedFixture(.csv)) == expected)
    #expect(try OperationKeys.ofSQLite(ExportedFixture(.sqlite)) == expected)
    #expect(try OperationKeys.ofPerfetto(ExportedFixture(.perfetto)) == expected)
  }
}
