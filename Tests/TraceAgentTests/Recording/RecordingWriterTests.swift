// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

@Suite struct RecordingWriterTests {
  private let environment = SampleRecording.environment

  private func error(_ work: () throws -> Void) -> RecordingError? {
    do {
      try work()
      return nil
    } catch {
      return error as? RecordingError
    }
  }

  @Test func onlyTheOwnerMayRead() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    func mode(_ path: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return try #require(attributes[.posixPermissions] as? Int)
    }
    #expect(try mode(scratch("r")) == 0o700)
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch("r")).sorted()
    #expect(names == ["metadata", "stream_0", "stream_1"])
    for name in names { #expect(try mode(scratch("r/\(name)")) == 0o600) }
  }

  @Test func neverOverwrites() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch("r"), withIntermediateDirectories: false)
    let failure = error {
      _ = try RecordingWriter.create(at: scratch("r"), environment: environment)
    }
    #expect(failure == .exists(path: scratch("r")))
    #expect(
      failure?.sentence
        == "\(scratch("r")) exists already, and a recording is never overwritten.")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch("r")).isEmpty)
  }

  @Test func saysWhyADirectoryCannotBeMade() throws {
    let scratch = try ScratchDirectory()
    let failure = error {
      _ = try RecordingWriter.create(at: scratch("no/r"), environment: environment)
    }
    #expect(
      failure?.sentence == "Cannot create \(scratch("no/r")): No such file or directory.")
    // Nobody may make directories there, root neither.
    let refused = error {
      _ = try RecordingWriter.create(at: "/proc/mrtrace-test", environment: environment)
    }
    guard case .cannotCreate("/proc/mrtrace-test", _) = refused else {
      Issue.record("\(String(describing: refused))")
      return
    }
  }

  @Test func directoryWithoutWritePermission() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch("ro"), withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o500])
    let failure = error {
      _ = try RecordingWriter.create(at: scratch("ro/r"), environment: environment)
    }
    if geteuid() == 0 {
      // To root every directory is writable.
      #expect(failure == nil)
    } else {
      #expect(failure == .cannotCreate(path: scratch("ro/r"), errno: EACCES))
    }
  }

  @Test func fullDiskIsToldAndStops() throws {
    let scratch = try ScratchDirectory()
    // OutputFile makes its files itself; the device that is always full stands in for one.
    let failure = error {
      var file = try OutputFile.open("/dev/full", flags: 0)
      try [UInt8](repeating: 1, count: 10).span.bytes.withUnsafeBytes {
        (bytes) throws(RecordingError) in
        try file.append(bytes)
      }
    }
    #expect(failure?.sentence == "Cannot write /dev/full: No space left on device.")

    let writer = try RecordingWriter.create(at: scratch("r"), environment: environment)
    #expect(SampleRecording.append(.fault(SampleEvents.fault()), to: writer, cpu: 0))
    // Somebody else's file in the way of the stream's.
    try replace(scratch("r/stream_0"), with: [1, 2, 3])
    let stopped = error { try writer.flush(now: 5_000_000_000) }
    #expect(stopped == .cannotCreate(path: scratch("r/stream_0"), errno: EEXIST))
    #expect(error { try writer.close(now: 5_000_000_000) } == stopped)
    #expect(error { try writer.append(SampleEvents.symbol()) } == stopped)
    #expect(try contents(of: scratch("r/stream_0")) == [1, 2, 3])
  }

  @Test func refusesWhatIsNoRecordAndCountsIt() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(at: scratch("r"), environment: environment)
    let record = Event.fault(SampleEvents.fault()).encoded()
    func append(_ bytes: [UInt8], cpu: Int) throws -> Bool {
      try bytes.withUnsafeBytes { try writer.append($0, cpu: cpu) }
    }
    var padded = record + [0, 0, 0, 0, 0, 0, 0, 0]
    padded[12] = UInt8(padded.count)
    #expect(try !append(padded, cpu: 0))
    #expect(try !append(Array(record.dropLast()), cpu: 0))
    #expect(try !append([], cpu: 1))
    #expect(try !append(record, cpu: -1))
    #expect(try !append(Event.unknown(SampleEvents.header()).encoded(), cpu: 0))
    #expect(try append(record, cpu: 1))
    #expect(writer.refused == 5)
    #expect(writer.discarded == 5)
    try writer.close(now: 2_000)
    let reader = try RecordingReader.open(scratch("r"))
    #expect(reader.totals == .init(records: 1, discarded: 5, clamped: 0))
    #expect(reader.problems == [])
  }

  @Test func writesEachSecondAndWhenFull() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: environment, packetSize: 300)
    let record = SampleEvents.fault(header: SampleEvents.header(timeNs: 1_000))
    for _ in 0..<2 { #expect(SampleRecording.append(.fault(record), to: writer, cpu: 0)) }
    try writer.flush(now: 1_000_000_999)
    #expect(writer.written == 0)
    try writer.flush(now: 1_000_001_000)
    #expect(writer.written == 2)
    // A record larger than a packet has one of its own.
    let large = Event.entries(SampleEvents.entries(header: SampleEvents.header(), count: 512))
    for _ in 0..<3 { #expect(SampleRecording.append(large, to: writer, cpu: 0)) }
    #expect(writer.written == 4)
    #expect(SampleRecording.append(.fault(record), to: writer, cpu: 0))
    #expect(writer.written == 5)
    try writer.close(now: 2_000)
    let events = Array(try RecordingReader.open(scratch("r")).events())
    #expect(events.map(\.header.kind) == [9, 9, 7, 7, 7, 9])
  }

  /// What is older than the packet before keeps everything but its time.
  @Test func lateRecordsAreMovedAndCounted() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(at: scratch("r"), environment: environment)
    func append(timeNs: UInt64, address: UInt64) {
      var record = SampleEvents.fault(header: SampleEvents.header(timeNs: timeNs))
      record.address = address
      #expect(SampleRecording.append(.fault(record), to: writer, cpu: 3))
    }
    append(timeNs: 5_000, address: 1)
    append(timeNs: 4_000, address: 2)
    try writer.flush(now: 2_000_000_000)
    append(timeNs: 4_500, address: 3)
    append(timeNs: 6_000, address: 4)
    append(timeNs: 5_500, address: 5)
    try writer.close(now: 3_000)
    let reader = try RecordingReader.open(scratch("r"))
    let faults = reader.events().compactMap { event -> [UInt64]? in
      guard case .fault(let fault) = event else { return nil }
      return [fault.h.time_ns, fault.address]
    }
    #expect(faults == [[4_000, 2], [5_000, 1], [5_000, 3], [5_500, 5], [6_000, 4]])
    #expect(reader.totals.clamped == 1)
    #expect(reader.problems == [])
  }

  @Test func nothingAfterClose() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(at: scratch("r"), environment: environment)
    try writer.close(now: 1)
    let closed = RecordingError.closed(path: scratch("r"))
    #expect(error { try writer.append(SampleEvents.symbol()) } == closed)
    #expect(error { try writer.flush(now: 2) } == closed)
    #expect(error { try writer.close(now: 2) } == closed)
  }
}
