// SPDX-License-Identifier: Apache-2.0

import Glibc
import Recording

/// Records on their way to the writer: made first, then written in one go, so that the writer's
/// time is told apart from the time it takes to make them.
struct Batch: ~Copyable {
  private static let capacity = 1 << 20

  private let bytes = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Batch.capacity, alignment: 8)
  private var ends: [(end: Int, cpu: Int)] = []
  private var used = 0
  private(set) var events: UInt64 = 0
  private(set) var byteCount: UInt64 = 0
  private(set) var writeNs: UInt64 = 0

  init() { ends.reserveCapacity(Self.capacity / 40) }

  deinit { bytes.deallocate() }

  func hasRoom(for size: Int) -> Bool { used + size <= Self.capacity }

  /// A copy of `record`, to be changed in place.
  mutating func add(_ record: [UInt8], cpu: Int) -> UnsafeMutableRawBufferPointer {
    let place = UnsafeMutableRawBufferPointer(rebasing: bytes[used..<used + record.count])
    place.copyBytes(from: record)
    used += record.count
    ends.append((used, cpu))
    return place
  }

  mutating func write(to writer: RecordingWriter) throws(RecordingError) {
    let begin = monotonicNs()
    var start = 0
    for record in ends {
      let place = UnsafeRawBufferPointer(rebasing: bytes[start..<record.end])
      try writer.append(place, cpu: record.cpu)
      start = record.end
    }
    writeNs += monotonicNs() - begin
    events += UInt64(ends.count)
    byteCount += UInt64(used)
    ends.removeAll(keepingCapacity: true)
    used = 0
  }
}

func monotonicNs() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
