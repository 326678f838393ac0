// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

/// The lab's recording, its records written again in today's format, in packets small enough that
/// there are many.
struct RealRecording {
  let scratch: ScratchDirectory
  var path: String { scratch("r") }
  let environment: RecordingEnvironment

  init() throws {
    scratch = try ScratchDirectory()
    let original = try RecordingReader.open(RecordingFixture.path())
    var environment = original.environment
    environment.formatMinor = RecordingEnvironment.formatMinor
    self.environment = environment
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: environment, packetSize: 1024)
    var now: UInt64 = 0
    for event in original.events() {
      #expect(SampleRecording.append(event, to: writer, cpu: Int(event.header.cpu)))
      now = event.timeNs
    }
    try writer.close(now: now)
  }

  /// Every byte of the one, every seventh of the other: reading all of them takes its time.
  static let streams = zip(["stream_0", "stream_1"], [7, 1])
}

/// One stream file that is damaged again and again in place, and read.
final class StreamUnderTest {
  struct Reading {
    var records: [[UInt8]]
    var problems: [RecordingProblem]
  }

  let bytes: [UInt8]
  let whole: Reading
  /// Ends of its packets, and how many records there are up to each.
  private(set) var ends: [(offset: Int, records: Int)] = []

  private let path: String
  private let descriptor: Int32
  private let uuid: TraceUUID
  private let headerSize: Int

  init(_ name: String, in directory: String, headerSize: Int = PacketHeader.size) throws {
    path = "\(directory)/\(name)"
    bytes = try contents(of: path)
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0)
    uuid = try #require(
      TraceUUID(
        try TSDLParser.environment(of: contents(of: "\(directory)/metadata")).string("trace_uuid")))
    self.headerSize = headerSize
    whole = try Self.read(path, uuid, headerSize)
    var offset = 0
    var records = 0
    while offset < bytes.count {
      let found = bytes[offset..<offset + headerSize].withUnsafeBytes {
        PacketHeader(RawSpan(_unsafeBytes: $0), uuid: uuid)
      }
      let header = try #require(found)
      offset += header.packetSize
      records += Int(header.records)
      ends.append((offset, records))
    }
  }

  deinit { close(descriptor) }

  func cut(at count: Int) throws -> Reading {
    #expect(ftruncate(descriptor, off_t(count)) == 0)
    return try Self.read(path, uuid, headerSize)
  }

  /// With one byte changed, and put right again afterwards.
  func flipping(_ mask: UInt8, at offset: Int) throws -> Reading {
    var wrong = bytes[offset] ^ mask
    #expect(pwrite(descriptor, &wrong, 1, off_t(offset)) == 1)
    defer {
      var right = bytes[offset]
      #expect(pwrite(descriptor, &right, 1, off_t(offset)) == 1)
    }
    return try Self.read(path, uuid, headerSize)
  }

  private static func read(
    _ path: String, _ uuid: TraceUUID, _ headerSize: Int
  ) throws -> Reading {
    let stream = StreamReader(
      try InputFile(path), name: "stream", uuid: uuid, headerSize: headerSize)
    let log = ProblemLog()
    let cursor = StreamCursor(stream, isNewer: false, problems: log)
    var records: [[UInt8]] = []
    while let event = cursor.current {
      records.append(event.event.encoded())
      cursor.advance()
    }
    return Reading(records: records, problems: try stream.summary().problems + log.problems)
  }
}

/// A sequence of masks that is the same in every run (xorshift64).
struct Masks {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Of one bit, or of some, or of all; never none.
  mutating func next() -> UInt8 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    switch state >> 60 {
    case 0..<10: return 1 << UInt8(state >> 32 & 7)
    case 10..<15: return UInt8(truncatingIfNeeded: state >> 32) | 1
    default: return 0xFF
    }
  }
}
