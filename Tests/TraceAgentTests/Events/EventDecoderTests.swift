// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Testing

@Suite struct EventDecoderTests {
  private func decode(_ bytes: [UInt8]) throws(DecodeError) -> Event {
    try EventDecoder.decode(bytes.span.bytes)
  }

  private func isExact(_ bytes: [UInt8]) -> Bool { RecordLayout.isExact(bytes.span.bytes) }

  private func put(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
    withUnsafeBytes(of: value) { for index in 0..<4 { bytes[offset + index] = $0[index] } }
  }

  @Test(arguments: SampleEvents.kinds) func encodesAndDecodes(kind: UInt32) throws {
    let bytes = SampleEvents.of(kind: kind).encoded()
    let event = try decode(bytes)
    #expect(event.header.kind == kind)
    #expect(Int(event.header.size) == bytes.count)
    #expect(event.encoded() == bytes)
    #expect(isExact(bytes))
  }

  @Test func fieldsOfFixedRecordsComeThrough() throws {
    guard case .walk(let walk) = try decode(Event.walk(SampleEvents.walk()).encoded()) else {
      Issue.record("not a walk")
      return
    }
    #expect(walk.h.hook == MRT_HOOK_WALK_PMD.rawValue)
    #expect(walk.h.time_ns == 1_000)
    #expect(walk.entry == 0x8400_0000_2804_0267)
    #expect(walk.pending_end == 0x3000)
    #expect(walk.required_fault == 2)
  }

  @Test func fieldsOfAMappingComeThrough() throws {
    guard case .mapping(let mapping) = try decode(Event.mapping(SampleEvents.mapping()).encoded())
    else {
      Issue.record("not a mapping")
      return
    }
    let sample = SampleEvents.mapping()
    #expect(mapping.address == sample.address)
    #expect(mapping.start == sample.start)
    #expect(mapping.end == sample.end)
    #expect(mapping.vmFlags == sample.vmFlags)
    #expect(mapping.pageOffset == sample.pageOffset)
    #expect(mapping.previousEnd == sample.previousEnd)
    #expect(mapping.nextStart == sample.nextStart)
    #expect(mapping.inode == sample.inode)
    #expect(mapping.fileSize == sample.fileSize)
    #expect(mapping.filesystemMagic == sample.filesystemMagic)
    #expect(mapping.device == sample.device)
    #expect(mapping.inodeFlags == sample.inodeFlags)
    #expect(mapping.mode == sample.mode)
    #expect(mapping.flags == sample.flags)
    #expect(mapping.filesystem == "ext4")
    #expect(mapping.blockDevice == "pmem0")
    #expect(mapping.path == sample.path)
  }

  @Test func fieldsOfEntriesStackAndSymbolComeThrough() throws {
    guard
      case .entries(let entries) = try decode(Event.entries(SampleEvents.entries()).encoded()),
      case .stack(let stack) = try decode(Event.stack(SampleEvents.stack()).encoded()),
      case .symbol(let symbol) = try decode(SampleEvents.symbol().encoded())
    else {
      Issue.record("wrong kinds")
      return
    }
    #expect(entries.address == 0x7F10_C000_0000)
    #expect(entries.what == MRT_ENTRIES_PTE.rawValue)
    #expect(entries.values == SampleEvents.entries().values)
    #expect(stack.what == MRT_STACK_KERNEL.rawValue)
    #expect(stack.addresses == SampleEvents.stack().addresses)
    #expect(symbol.address == 0xFFFF_FFFF_8100_0010)
    #expect(symbol.what == MRT_STACK_KERNEL.rawValue)
    #expect(symbol.name == "hmm_vma_walk_pmd+0x12")
  }

  /// Each kind, cut at each byte: an error, and no read beyond the end.
  @Test(arguments: SampleEvents.kinds) func refusesEveryCut(kind: UInt32) {
    let bytes = SampleEvents.of(kind: kind).encoded()
    for count in 0..<bytes.count {
      #expect(throws: DecodeError.self) { try self.decode(Array(bytes[..<count])) }
    }
  }

  /// Each kind, with a `size` that is shorter than its fields.
  @Test(arguments: SampleEvents.kinds) func refusesEveryShortSize(kind: UInt32) {
    var bytes = SampleEvents.of(kind: kind).encoded()
    for size in 0..<bytes.count {
      put(UInt32(size), at: 12, in: &bytes)
      #expect(throws: DecodeError.self) { try self.decode(bytes) }
    }
  }

  @Test func saysWhatIsWrong() {
    var bytes = Event.entries(SampleEvents.entries()).encoded()
    #expect(throws: DecodeError.noHeader(bytes: 39)) { try self.decode(Array(bytes[..<39])) }
    #expect(throws: DecodeError.sizeOutOfBounds(size: 104, bytes: 103)) {
      try self.decode(Array(bytes[..<103]))
    }
    put(513, at: 60, in: &bytes)
    #expect(throws: DecodeError.count(kind: 7, count: 513)) { try self.decode(bytes) }
    put(UInt32.max, at: 60, in: &bytes)
    #expect(throws: DecodeError.count(kind: 7, count: .max)) { try self.decode(bytes) }
    put(6, at: 60, in: &bytes)
    #expect(throws: DecodeError.tail(kind: 7, size: 104, expected: 112)) { try self.decode(bytes) }
    put(60, at: 12, in: &bytes)
    #expect(throws: DecodeError.fixedPart(kind: 7, size: 60)) { try self.decode(bytes) }
    #expect(
      DecodeError.count(kind: 7, count: 513).sentence
        == "A record of kind 7 counts 513 elements, more than it may have.")
  }

  @Test func readsTheLargestTails() throws {
    let entries = Event.entries(SampleEvents.entries(count: 512)).encoded()
    #expect(entries.count == MemoryLayout<mrt_entries>.size)
    #expect(try decode(entries).encoded() == entries)
    let mapping = SampleEvents.mapping(path: String(repeating: "x", count: 4000))
    #expect(Event.mapping(mapping).encoded().count == MemoryLayout<mrt_mapping>.size)
  }

  @Test func skipsWhatALaterVersionAdded() throws {
    var bytes = Event.fault(SampleEvents.fault()).encoded() + [1, 2, 3, 4, 5, 6, 7, 8]
    put(UInt32(bytes.count), at: 12, in: &bytes)
    guard case .fault(let fault) = try decode(bytes) else {
      Issue.record("not a fault")
      return
    }
    #expect(fault.file_size == 0x4000)
    // Such a record is not what this version's description of a recording says.
    #expect(!isExact(bytes))
    put(99, at: 8, in: &bytes)
    guard case .unknown(let header) = try decode(bytes) else {
      Issue.record("not unknown")
      return
    }
    #expect(header.kind == 99)
    #expect(!isExact(bytes))
  }

  @Test func ignoresBytesAfterTheRecord() throws {
    let record = Event.stack(SampleEvents.stack()).encoded()
    #expect(try decode(record + [0, 0, 0]).encoded() == record)
  }

  /// Of what the kernel reserved the record alone, and of what is none nothing.
  @Test func recordInAReservation() {
    let record = Event.stack(SampleEvents.stack()).encoded()
    func found(_ bytes: [UInt8]) -> [UInt8]? {
      bytes.withUnsafeBytes { RecordLayout.record(in: $0).map(Array.init) }
    }
    #expect(found(record + [1, 2, 3]) == record)
    #expect(found(record) == record)
    #expect(found(record.dropLast()) == nil)
    #expect(found(Array(record.prefix(RecordLayout.headerSize - 1))) == nil)
    #expect(found([UInt8](repeating: 0, count: 200)) == nil)
  }

  @Test func agentsOwnRecords() throws {
    let counts = mrt_counts(seen: 9, failed: 8, recorded: 7, lost: 1, filtered: 0, untracked: 0)
    let counter = Event.counter(
      hook: 46, rung: MRT_RUNG_KPROBE, counts: counts, missed: 5, timeNs: 77)
    guard case .counter(let record) = try decode(counter.encoded()),
      case .symbol(let symbol) = try decode(
        Event.userSymbol(
          address: 1, pid: 412, name: String(repeating: "é", count: 100), timeNs: 3
        ).encoded())
    else {
      Issue.record("wrong kinds")
      return
    }
    #expect(record.h.hook == 46)
    #expect(record.h.time_ns == 77)
    #expect(record.counts.recorded == 7)
    #expect(record.missed == 5)
    #expect(record.rung == MRT_RUNG_KPROBE.rawValue)
    #expect(symbol.header.pid == 412)
    #expect(symbol.name.utf8.count == Int(MRT_NAME_MAX))
  }

  @Test func textEndsAtNULOrAtTheArray() {
    var record = mrt_operation()
    CText.fill(&record.comm, with: "0123456789abcdefXYZ")
    #expect(CText.string(in: record.comm) == "0123456789abcde")
    CText.fill(&record.comm, with: "io")
    #expect(CText.string(in: record.comm) == "io")
    #expect(CText.string([0x61, 0xFF, 0x62]) == "a\u{FFFD}b")
  }
}
