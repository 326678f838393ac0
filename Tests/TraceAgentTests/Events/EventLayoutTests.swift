// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Testing

/// Swift reads the C structs as the C compiler laid them out, and their tails where they are.
@Suite struct EventLayoutTests {
  private func expect<T>(
    _ type: T.Type, size: Int, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(MemoryLayout<T>.size == size, sourceLocation: location)
    #expect(MemoryLayout<T>.stride == size, sourceLocation: location)
    #expect(MemoryLayout<T>.alignment == 8, sourceLocation: location)
  }

  @Test func sizesAreThoseOfTheHeader() {
    expect(mrt_header.self, size: 40)
    expect(mrt_operation.self, size: 216)
    expect(mrt_umem.self, size: 104)
    expect(mrt_layer.self, size: 104)
    expect(mrt_range.self, size: 96)
    expect(mrt_walk.self, size: 112)
    expect(mrt_levels.self, size: 96)
    expect(mrt_entries.self, size: 64 + 8 * 512)
    expect(mrt_mapping.self, size: 192 + 2048)
    expect(mrt_fault.self, size: 88)
    expect(mrt_stack.self, size: 48 + 8 * 64)
    expect(mrt_counts.self, size: 48)
    expect(mrt_counter.self, size: 104)
    expect(mrt_tally.self, size: 160)
    expect(mrt_account.self, size: 184)
    expect(mrt_pages.self, size: 72)
    expect(mrt_owner.self, size: 72 + 4 * 32)
    expect(mrt_omitted.self, size: 56)
    expect(mrt_shed.self, size: 64)
    expect(mrt_folio.self, size: 120)
    expect(mrt_refusal.self, size: 120)
    expect(mrt_forked.self, size: 104)
    #expect(MemoryLayout<mrt_cgroup>.size == 56 + 2048)
    expect(mrt_backing_facts.self, size: 160)
    expect(mrt_backing.self, size: 208 + 2048)
    expect(mrt_pages_key.self, size: 24)
    #expect(MemoryLayout<mrt_symbol>.size == 56 + 128)
  }

  @Test func headerIsTheSameInAllRecords() {
    #expect(MemoryLayout<mrt_header>.offset(of: \.time_ns) == 0)
    #expect(MemoryLayout<mrt_header>.offset(of: \.kind) == 8)
    #expect(MemoryLayout<mrt_header>.offset(of: \.size) == 12)
    #expect(MemoryLayout<mrt_header>.offset(of: \.operation) == 16)
    #expect(MemoryLayout<mrt_header>.offset(of: \.pid) == 24)
    #expect(MemoryLayout<mrt_header>.offset(of: \.tid) == 28)
    #expect(MemoryLayout<mrt_header>.offset(of: \.cpu) == 32)
    #expect(MemoryLayout<mrt_header>.offset(of: \.hook) == 36)
    #expect(MemoryLayout<mrt_operation>.offset(of: \.h) == 0)
    #expect(MemoryLayout<mrt_symbol>.offset(of: \.h) == 0)
  }

  @Test func fieldsOfFixedRecordsAreWhereTheRecordingDescribesThem() {
    #expect(MemoryLayout<mrt_operation>.offset(of: \.kind) == 104)
    #expect(MemoryLayout<mrt_operation>.offset(of: \.owner_comm) == 152)
    #expect(MemoryLayout<mrt_operation>.offset(of: \.device) == 184)
    #expect(MemoryLayout<mrt_umem>.offset(of: \.page_shift) == 88)
    #expect(MemoryLayout<mrt_layer>.offset(of: \.arguments) == 48)
    #expect(MemoryLayout<mrt_range>.offset(of: \.rung) == 88)
    #expect(MemoryLayout<mrt_walk>.offset(of: \.entry) == 88)
    #expect(MemoryLayout<mrt_levels>.offset(of: \.read) == 88)
    #expect(MemoryLayout<mrt_fault>.offset(of: \.result) == 72)
    #expect(MemoryLayout<mrt_fault>.offset(of: \.error) == 84)
    #expect(MemoryLayout<mrt_counter>.offset(of: \.missed) == 88)
    #expect(MemoryLayout<mrt_pages>.offset(of: \.bits) == 40)
    #expect(MemoryLayout<mrt_pages>.offset(of: \.outcome) == 60)
  }

  /// The decoder reads records with a tail by these numbers.
  @Test func tailsBeginAfterTheirCount() {
    #expect(MemoryLayout<mrt_entries>.offset(of: \.address) == 40)
    #expect(MemoryLayout<mrt_entries>.offset(of: \.what) == 48)
    #expect(MemoryLayout<mrt_entries>.offset(of: \.search) == 52)
    #expect(MemoryLayout<mrt_entries>.offset(of: \.count) == 60)
    #expect(MemoryLayout<mrt_entries>.offset(of: \.values) == 64)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.device) == 120)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.flags) == 132)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.filesystem) == 136)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.block_device) == 152)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.path_size) == 188)
    #expect(MemoryLayout<mrt_mapping>.offset(of: \.path) == 192)
    #expect(MemoryLayout<mrt_stack>.offset(of: \.what) == 40)
    #expect(MemoryLayout<mrt_stack>.offset(of: \.count) == 44)
    #expect(MemoryLayout<mrt_stack>.offset(of: \.addresses) == 48)
    #expect(MemoryLayout<mrt_symbol>.offset(of: \.what) == 48)
    #expect(MemoryLayout<mrt_symbol>.offset(of: \.name_size) == 52)
    #expect(MemoryLayout<mrt_symbol>.offset(of: \.name) == 56)
    #expect(MemoryLayout<mrt_backing>.offset(of: \.facts) == 40)
    #expect(MemoryLayout<mrt_backing>.offset(of: \.path_size) == 204)
    #expect(MemoryLayout<mrt_backing>.offset(of: \.path) == 208)
    for (kind, size) in [(7, 64), (8, 192), (10, 48), (12, 56), (17, 56), (18, 208)] {
      #expect(RecordLayout.of(kind: UInt32(kind))?.fixedSize == size)
    }
    #expect(RecordLayout.of(kind: 0) == nil)
    #expect(RecordLayout.of(kind: 99) == nil)
  }
}
