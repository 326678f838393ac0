// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Recording

/// All records of a recording in memory, as they come out of the ring buffer.
struct Records {
  private var bytes: [UInt8] = []
  private var places: [(end: Int, cpu: Int)] = []
  private let environment: RecordingEnvironment

  init(_ path: String) throws(RecordingError) {
    let run = try RecordedRuns.open([path]).runs[0]
    environment = run.environment
    var records = run.views()
    while let record = records.next() {
      bytes += record.bytes
      places.append((bytes.count, Int(record.header.cpu)))
    }
  }

  /// Until it is in the page cache.
  func write(to path: String) throws(RecordingError) {
    let writer = try RecordingWriter.create(at: path, environment: environment)
    var timer = Timer()
    var begin = 0
    for place in places {
      let end = place.end
      try bytes.span.bytes.withUnsafeBytes { (all) throws(RecordingError) in
        _ = try writer.append(
          UnsafeRawBufferPointer(rebasing: all[begin..<end]), cpu: place.cpu)
      }
      begin = end
    }
    try writer.flushAll()
    timer.events = UInt64(places.count)
    timer.tell(bytes: bytes.count)
  }

  /// What the kernel takes for the same bytes in pieces of the same size: nothing that writes them is faster.
  func copy(to path: String) throws(RecordingError) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    guard file >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    defer { close(file) }
    var timer = Timer()
    var begin = 0
    while begin < bytes.count {
      let size = min(RecordingWriter.packetSize, bytes.count - begin)
      let written = bytes[begin...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, size) }
      guard written == size else { throw .cannotWrite(path: path, errno: errno) }
      begin += size
    }
    timer.events = UInt64(places.count)
    timer.tell(bytes: bytes.count)
  }
}
