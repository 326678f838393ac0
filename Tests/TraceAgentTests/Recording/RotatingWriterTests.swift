// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

/// Recordings in parts, read by our reader and by another one.
@Suite struct RotatingWriterTests {
  private func event(_ number: UInt64, cpu: UInt32) -> Event {
    var record = SampleEvents.fault()
    record.h.time_ns = 1_000_000 + number
    record.h.cpu = cpu
    record.address = number
    return .fault(record)
  }

  private func write(
    _ count: UInt64, to writer: RotatingWriter, loseAt: UInt64? = nil
  ) throws -> Int {
    var rotations = 0
    for number in 0..<count {
      let event = event(number, cpu: UInt32(number % 3))
      let isWritten = try event.encoded().withUnsafeBytes {
        try writer.append($0, cpu: Int(number % 3))
      }
      #expect(isWritten)
      if number == loseAt { writer.discarded(7, cpu: 1) }
      if writer.isFull {
        try writer.rotate(now: 1_000_001 + number)
        rotations += 1
      }
    }
    return rotations
  }

  @Test func partsHoldAllAndNothingTwice() throws {
    let scratch = try ScratchDirectory()
    let writer = try RotatingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment, maxSize: 256 << 10, keep: nil)
    let count: UInt64 = 12_000
    let rotations = try write(count, to: writer, loseAt: 100)
    try writer.close(now: 2_000_000)
    let parts = RecordingParts.of(scratch("r"))
    #expect(rotations >= 3)
    #expect(parts.count == rotations + 1)
    var addresses: [UInt64] = []
    for (index, path) in parts.enumerated() {
      let reader = try RecordingReader.open(path)
      #expect(reader.environment.part == index + 1)
      #expect(reader.environment.partEnd == (index + 1 == parts.count ? .end : .size))
      #expect((reader.environment.completeFromNs == nil) == (index == 0))
      // Told once.
      #expect(reader.totals.discarded == (index == 0 ? 7 : 0))
      for case .fault(let record) in reader.events() {
        addresses.append(record.address)
        #expect(record.h.time_ns >= reader.environment.completeFromNs ?? 0)
      }
      #expect(reader.isClosed)
      #expect(reader.problems == [])
      let names = try FileManager.default.contentsOfDirectory(atPath: path)
      let size = try names.reduce(0) { try $0 + contents(of: "\(path)/\($1)").count }
      #expect(size <= 256 << 10)
    }
    #expect(addresses.sorted() == Array(0..<count))
  }

  @Test(.enabled(if: Babeltrace.isInstalled, "babeltrace2 is not installed"))
  func anotherReaderReadsAllParts() throws {
    let scratch = try ScratchDirectory()
    let writer = try RotatingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment, maxSize: 256 << 10, keep: nil)
    let rotations = try write(6_000, to: writer, loseAt: 100)
    try writer.close(now: 2_000_000)
    try #require(rotations > 0)
    let run = try Babeltrace.run(scratch("r"))
    #expect(run.status == 0)
    #expect(run.lines.count { $0.contains(" fault: ") } == 6_000)
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    #expect(run.errors.contains("discarded 7 events"))
  }

  @Test func theOldestPartsGo() throws {
    let scratch = try ScratchDirectory()
    let writer = try RotatingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment, maxSize: 256 << 10, keep: 2)
    let rotations = try write(15_000, to: writer)
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch("r")).sorted()
    #expect(
      names == [rotations, rotations + 1].map { RecordingParts.name($0) })
    try writer.close(now: 2_000_000)
  }

  /// What is left when it is killed: all parts but the last are closed.
  @Test func theLastPartOfAKilledRunIsNotClosed() throws {
    let scratch = try ScratchDirectory()
    let writer = try RotatingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment, maxSize: 256 << 10, keep: nil)
    _ = try write(6_000, to: writer)
    let closed = try RecordingParts.of(scratch("r")).map { try RecordingReader.open($0).isClosed }
    #expect(closed.count > 1)
    #expect(closed == Array(repeating: true, count: closed.count - 1) + [false])
  }

  @Test func noticesThatItsDirectoryIsGone() throws {
    let scratch = try ScratchDirectory()
    let writer = try RotatingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment, maxSize: 256 << 10, keep: 2)
    try writer.checkPlace()
    try FileManager.default.moveItem(atPath: scratch("r"), toPath: scratch("s"))
    #expect(throws: RecordingError.gone(path: scratch("r"))) { try writer.checkPlace() }
    // Another directory of the same name is not it.
    try FileManager.default.createDirectory(
      atPath: scratch("r"), withIntermediateDirectories: false)
    #expect(throws: RecordingError.gone(path: scratch("r"))) { try writer.checkPlace() }
  }
}
