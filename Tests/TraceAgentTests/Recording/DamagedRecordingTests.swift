// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

/// Recordings cut off and recordings with wrong bits: what can be read is read, and the rest is
/// told.
@Suite struct DamagedRecordingTests {
  private struct Sample {
    let scratch: ScratchDirectory
    /// Records of one stream, and of both.
    static let one = SampleEvents.kinds.count
    static let both = 2 * one

    let path: String
    /// The stream that is damaged.
    let file: String
    let bytes: [UInt8]
    /// Ends of its packets, and how many records there are up to each.
    let ends: [(offset: Int, records: Int)]
    /// The records of that stream in order, and of both.
    let stream: [[UInt8]]
    let all: Set<[UInt8]>

    init(cpu: Int) throws {
      scratch = try ScratchDirectory()
      path = scratch("r")
      file = scratch("r/stream_\(cpu)")
      let events = try SampleRecording.write(at: path, packetSize: 512, rounds: 1)
      bytes = try contents(of: file)
      stream = events.enumerated().filter { $0.offset / SampleEvents.kinds.count % 2 == cpu }.map {
        $0.element.encoded()
      }
      all = Set(events.map { $0.encoded() })
      var ends: [(Int, Int)] = []
      var offset = 0
      var records = 0
      while offset < bytes.count {
        offset += bytes.withUnsafeBytes {
          Int($0.loadUnaligned(fromByteOffset: offset + 48, as: UInt64.self) / 8)
        }
        records += bytes.withUnsafeBytes {
          let start = ends.last?.0 ?? 0
          return Int($0.loadUnaligned(fromByteOffset: start + 80, as: UInt32.self))
        }
        ends.append((offset, records))
      }
      self.ends = ends
    }
  }

  @Test func cutAnywhereReadsUpToTheLastWholePacket() throws {
    let sample = try Sample(cpu: 1)
    try #require(sample.ends.count > 3)
    for count in stride(from: 0, to: sample.bytes.count, by: 3).reversed() {
      try replace(sample.file, with: Array(sample.bytes[..<count]))
      let reader = try RecordingReader.open(sample.path)
      let events = reader.events().filter { $0.header.cpu == 1 && $0.header.kind != 12 }
      let whole = sample.ends.last { $0.offset <= count } ?? (0, 0)
      let expected = sample.stream[..<whole.records].filter { $0[8] != 12 }
      #expect(events.map { $0.encoded() } == Array(expected), "cut at \(count)")
      let tail = count - whole.offset
      var problems: [RecordingProblem] = []
      if tail > 0 { problems.append(.truncated(file: "stream_1", bytes: tail)) }
      problems.append(.recordsMissing(count: UInt64(sample.stream.count - whole.records)))
      #expect(reader.problems == problems, "cut at \(count)")
      #expect(reader.isClosed)
    }
  }

  @Test func withoutItsEndItIsNotClosed() throws {
    let sample = try Sample(cpu: 0)
    let last = sample.ends[sample.ends.count - 2]
    try replace(sample.file, with: Array(sample.bytes[..<last.offset]))
    let reader = try RecordingReader.open(sample.path)
    #expect(!reader.isClosed)
    #expect(reader.problems == [.notClosed])
    #expect(Array(reader.events()).count == Sample.both)
    try FileManager.default.removeItem(atPath: sample.file)
    #expect(Array(try RecordingReader.open(sample.path).events()).count == Sample.one)
  }

  /// One wrong bit at a time, all over: never a crash, never more records than were written.
  @Test func wrongBits() throws {
    let sample = try Sample(cpu: 1)
    var told = 0
    for offset in stride(from: 0, to: sample.bytes.count, by: 3) {
      var bytes = sample.bytes
      bytes[offset] ^= 1 << UInt8(offset % 8)
      try replace(sample.file, with: bytes)
      let reader = try RecordingReader.open(sample.path)
      let events = Array(reader.events())
      #expect(events.count <= Sample.both, "byte \(offset)")
      let unchanged = events.count { sample.all.contains($0.encoded()) }
      #expect(events.count - unchanged <= 1, "byte \(offset)")
      // Records may be lost, but not without a word.
      if events.count < Sample.both {
        #expect(!reader.problems.isEmpty, "byte \(offset)")
        told += 1
      }
      #expect(reader.problems.allSatisfy { $0.sentence.hasSuffix(".") })
    }
    #expect(told > 50)
  }

  @Test func hugeNumbersAreNotBelieved() throws {
    let sample = try Sample(cpu: 1)
    for offset in stride(from: 24, to: 88, by: 4) {
      var bytes = sample.bytes
      for index in offset..<offset + 4 { bytes[index] = 0xFF }
      try replace(sample.file, with: bytes)
      let reader = try RecordingReader.open(sample.path)
      #expect(Array(reader.events()).count <= Sample.both)
    }
    // A record of 4 GiB in the first packet.
    var bytes = sample.bytes
    for index in 12..<16 { bytes[PacketHeader.size + index] = 0xFF }
    try replace(sample.file, with: bytes)
    let reader = try RecordingReader.open(sample.path)
    let first = sample.ends[0].records
    #expect(Array(reader.events()).count == Sample.both - first)
    #expect(reader.problems == [.damagedPacket(file: "stream_1", offset: 0, missing: first)])
  }

  @Test func packetsOfAnotherRecordingAreRefused() throws {
    let sample = try Sample(cpu: 1)
    let other = try Sample(cpu: 1)
    try replace(sample.file, with: other.bytes)
    let reader = try RecordingReader.open(sample.path)
    #expect(Array(reader.events()).count == Sample.one)
    #expect(
      reader.problems == [
        .damaged(file: "stream_1", offset: 0, bytes: other.bytes.count),
        .recordsMissing(count: UInt64(Sample.one)),
      ])
  }

  @Test func aMissingPacketIsTold() throws {
    let sample = try Sample(cpu: 1)
    let (first, second) = (sample.ends[0], sample.ends[1])
    try replace(
      sample.file,
      with: Array(sample.bytes[..<first.offset] + sample.bytes[second.offset...]))
    let reader = try RecordingReader.open(sample.path)
    let missing = UInt64(second.records - first.records)
    #expect(
      reader.problems == [
        .packetsMissing(file: "stream_1", offset: first.offset, count: 1),
        .recordsMissing(count: missing),
      ])
    #expect(Array(reader.events()).count == Sample.both - Int(missing))
  }
}
