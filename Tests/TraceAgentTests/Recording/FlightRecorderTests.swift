// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

@Suite struct FlightRecorderTests {
  private static let size = 256 << 10

  private func recorder(_ scratch: ScratchDirectory, keep: Int = 3) throws -> FlightRecorder {
    try FlightRecorder.create(
      at: scratch("r"), environment: SampleRecording.environment, size: Self.size, keep: keep)
  }

  private func add(_ numbers: Range<UInt64>, to recorder: FlightRecorder) throws {
    for number in numbers {
      var record = SampleEvents.fault()
      record.h.time_ns = 1_000 + number
      record.address = number
      _ = try Event.fault(record).encoded().withUnsafeBytes {
        try recorder.append($0, cpu: Int(number % 2))
      }
    }
  }

  private func addresses(_ path: String) throws -> [UInt64] {
    try RecordingReader.open(path).events().compactMap {
      if case .fault(let record) = $0 { record.address } else { nil }
    }
  }

  @Test func nothingIsWrittenBeforeItIsTold() throws {
    let scratch = try ScratchDirectory()
    let recorder = try recorder(scratch)
    try add(0..<100, to: recorder)
    try recorder.flush(now: 10_000_000_000)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch("r")).isEmpty)
    let path = try recorder.write(.signal, now: 5_000, totals: []) { _ in [] }
    #expect(path == scratch("r/part-000001"))
    #expect(try addresses(path) == Array(0..<100))
    let reader = try RecordingReader.open(path)
    #expect(reader.environment.completeFromNs == nil)
    #expect(reader.environment.partEnd == .signal)
    #expect(reader.environment.overwritten == 0)
    #expect(reader.isClosed)
    #expect(reader.problems == [])
  }

  /// Only the newest are there, without a hole, and the others are counted.
  @Test func theOldestMakeRoom() throws {
    let scratch = try ScratchDirectory()
    let recorder = try recorder(scratch)
    let count: UInt64 = 50_000
    try add(0..<count, to: recorder)
    let path = try recorder.write(.failure, now: 100_000, totals: []) { _ in [] }
    let reader = try RecordingReader.open(path)
    let found = try addresses(path).sorted()
    let overwritten = try #require(reader.environment.overwritten)
    #expect(overwritten > 0)
    #expect(UInt64(found.count) + overwritten == count)
    #expect(UInt64(found.count) > UInt64(Self.size) / 88 * 3 / 4)
    let from = try #require(reader.environment.completeFromNs)
    let newest = Array(from - 1_000..<count)
    #expect(Array(found.suffix(newest.count)) == newest)
    #expect(reader.problems == [])
  }

  @Test func aRecordIsInOnePartOnly() throws {
    let scratch = try ScratchDirectory()
    let recorder = try recorder(scratch, keep: 2)
    var paths: [String] = []
    for part in 0..<3 as Range<UInt64> {
      try add(part * 10..<(part + 1) * 10, to: recorder)
      paths.append(
        try recorder.write(.failure, now: 2_000 + part, totals: []) { _ in [] })
    }
    #expect(RecordingParts.of(scratch("r")) == Array(paths.dropFirst()))
    #expect(try addresses(paths[1]) == Array(10..<20))
    #expect(try addresses(paths[2]) == Array(20..<30))
    #expect(try RecordingReader.open(paths[2]).environment.completeFromNs == 2_001)
  }

  /// The names of all stacks that are written, and of no others.
  @Test func namesComeWithTheirStacks() throws {
    let scratch = try ScratchDirectory()
    let recorder = try recorder(scratch)
    for event in SampleEvents.all(from: 1_000, cpu: 0) {
      _ = try event.encoded().withUnsafeBytes { try recorder.append($0, cpu: 0) }
    }
    var asked: [StackRecord] = []
    let path = try recorder.write(.end, now: 5_000, totals: []) { stacks in
      asked = stacks
      return [.kernelSymbol(address: 0x77, name: "here", timeNs: 5_000)]
    }
    #expect(asked.count == 1)
    #expect(asked.first?.addresses.isEmpty == false)
    let names = try RecordingReader.open(path).events().compactMap {
      if case .symbol(let record) = $0 { record.name } else { nil }
    }
    #expect(names.contains("here"))
  }

  /// A part that cannot be written leaves nothing, and costs nothing of what is held.
  @Test func whatCannotBeWrittenIsHeldStill() throws {
    let scratch = try ScratchDirectory()
    let recorder = try recorder(scratch)
    try add(0..<100, to: recorder)
    let draft = scratch("r/.part-000001.draft")
    try FileManager.default.createDirectory(
      atPath: draft + "/in-the-way", withIntermediateDirectories: true)
    #expect(throws: RecordingError.exists(path: draft)) {
      _ = try recorder.write(.signal, now: 5_000, totals: []) { _ in [] }
    }
    try FileManager.default.removeItem(atPath: draft)
    #expect(
      try addresses(recorder.write(.signal, now: 6_000, totals: []) { _ in [] })
        == Array(0..<100))
  }

  @Test func packetsOfAllSizesInOnePieceOfMemory() {
    let ring = PacketRing(size: 1_000)
    var expected: [(number: Int, size: Int)] = []
    for number in 0..<5_000 {
      let size = 96 + number * 7919 % 300
      let bytes = [UInt8](repeating: UInt8(number % 251), count: size)
      bytes.withUnsafeBytes {
        _ = ring.add(
          .init(cpu: number, begin: 0, end: UInt64(number), records: 1, clamped: 0), $0)
      }
      expected.append((number, size))
      var held: [(number: Int, size: Int)] = []
      ring.forEach { packet, bytes in
        #expect(bytes.allSatisfy { $0 == UInt8(packet.cpu % 251) })
        held.append((packet.cpu, bytes.count))
      }
      #expect(held.elementsEqual(expected.suffix(held.count), by: ==))
      #expect(held.reduce(0) { $0 + $1.size } <= 1_000)
      // What is at most unused: the rest at the end, and less than a packet more.
      #expect(held.count >= min(number + 1, 1))
      #expect(ring.overwritten == UInt64(number + 1 - held.count))
    }
    let large = [UInt8](repeating: 0, count: 1_001)
    large.withUnsafeBytes {
      #expect(!ring.add(.init(cpu: 0, begin: 0, end: 9_999, records: 5, clamped: 0), $0))
    }
    #expect(ring.overwrittenUntil == 9_999)
  }
}
