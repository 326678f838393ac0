// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Export

/// What is exported of a record that no code gives a meaning: its fields, as events.h has them.
@Suite struct DescribedFieldsTests {
  private func described(_ event: Event) throws -> [String: Any] {
    let scratch = try ScratchDirectory()
    var file = try ExportFile.create(scratch("line"), force: false)
    let output = ByteOutput(to: file)
    let fields = EventFields(subject: ExportSubject(SampleRecording.environment))
    JSONLine.write(to: output) { fields.described(event, &$0) }
    try output.flush()
    try file.keep()
    let line = try contents(of: scratch("line"))
    return try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
  }

  /// All fields but padding and the count of what follows; errors have their name too.
  @Test(arguments: SampleEvents.kinds)
  func everyFieldIsThere(number: UInt32) throws {
    let kind = try #require(RecordKind.of(number))
    let countOffset = RecordLayout.of(kind: number)?.tail?.countOffset
    var keys: Set<String> = []
    for (field, offset) in kind.places where offset != countOffset {
      if case .reserved = field.meaning { continue }
      if case .result = field.meaning { keys.insert("errno") }
      keys.insert("\(field.key)")
    }
    #expect(Set(try described(SampleEvents.of(kind: number)).keys) == keys)
  }

  @Test func valuesOfEveryMeaning() throws {
    let operation = try described(.operation(SampleEvents.operation()))
    #expect(operation["kind"] as? String == "advise_mr")
    #expect(operation["result"] as? Int == -14)
    #expect(operation["errno"] as? String == "EFAULT")
    #expect(operation["access"] as? [String] == ["LOCAL_WRITE", "REMOTE_WRITE", "ON_DEMAND"])
    #expect(operation["mr_iova"] as? String == "0x1000")
    #expect(operation["num_sge"] as? Int == 3)
    #expect(operation["start_monotonic_ns"] as? Int == 500)
    #expect(operation["owner_comm"] as? String == "server")
    let layer = try described(.layer(SampleEvents.layer()))
    #expect(layer["arguments"] as? [String] == ["0x1", "0x2", "0x3", "0x4", "0x5", "0x6"])
    let fault = try described(.fault(SampleEvents.fault()))
    #expect(fault["error"] as? Int == -28)
    #expect(fault["result"] as? [String] == ["SIGBUS"])
    let backing = try described(.backing(SampleEvents.backing()))
    #expect(backing["subpool_max"] as? Int == -1)
    #expect(backing["path"] as? String == "f")
    let owner = try described(.owner(SampleEvents.owner()))
    #expect((owner["pids"] as? [Int])?.prefix(3) == [4242, 7, 0])
    let stack = try described(.stack(SampleEvents.stack()))
    #expect(stack["addresses"] as? [String] == ["0xffffffff81000010", "0xffffffff81000020"])
  }
}
