// SPDX-License-Identifier: Apache-2.0

import Events

/// Keeps the newest packets in memory, and writes them out, a part each time, when it is told to.
///
/// What a part holds is not held any more, so that no record is in two parts.
package final class FlightRecorder: RecordingSink {
  package var path: String { directory.place.path }
  /// Records that had no room in memory, so far.
  package var overwritten: UInt64 { ring.overwritten }

  private let directory: PartsDirectory
  private let ring: PacketRing
  private let packetSize: Int
  private var environment: RecordingEnvironment
  /// By CPU.
  private var streams: [StreamWriter?] = []
  /// By CPU: since the last part.
  private var lost: [UInt64] = []
  /// The end of the last part.
  private var partedAt: UInt64?

  /// The smallest memory.
  package static let minSize = 256 * 1024
  private static let cpuLimit = 65536

  /// Makes the directory `path`, which must not be there. `size` bytes of packets are kept in
  /// memory, and `keep` parts on disk.
  package static func create(
    at path: String, environment: RecordingEnvironment, size: Int, keep: Int
  ) throws(RecordingError) -> FlightRecorder {
    FlightRecorder(
      try PartsDirectory(at: path, keep: keep), size: max(size, minSize), environment)
  }

  private init(_ directory: PartsDirectory, size: Int, _ environment: RecordingEnvironment) {
    self.directory = directory
    ring = PacketRing(size: size)
    // Many packets, so that little goes at a time.
    packetSize = min(RecordingWriter.packetSize, size / 32)
    self.environment = environment
  }

  /// Writes what is held, with `names` for its stacks and `totals` at the end. Returns the part's
  /// path. On failure all is held still.
  package func write(
    _ reason: RecordingEnvironment.PartEnd, now: UInt64, totals: [Event],
    names: ([StackRecord]) -> [Event]
  ) throws(RecordingError) -> String {
    try flushAll()
    var environment = environment
    environment.partEnd = reason
    environment.overwritten = ring.overwritten
    environment.completeFromNs = completeFrom
    let events = names(ring.stacks()) + totals
    let writer = try directory.add(environment) { (writer) throws(RecordingError) in
      for (cpu, count) in lost.enumerated() { writer.discarded(count, cpu: cpu) }
      try ring.forEach { (packet, bytes) throws(RecordingError) in
        try writer.adopt(packet, bytes)
      }
      for event in events { try writer.append(event) }
      // To the disk at its leisure, but at the end: the ring buffer of the kernel fills meanwhile.
      try writer.close(now: now, waiting: reason == .end)
    }
    directory.oldestOpen = directory.last + 1
    directory.removeSurplus()
    ring.removeAll()
    lost = []
    partedAt = now
    return writer.path
  }

  /// Everything from here on is held. nil: from the start of the run on.
  private var completeFrom: UInt64? {
    let held = ring.overwrittenUntil.map { $0 &+ 1 }
    guard let held, let partedAt else { return held ?? partedAt }
    return max(held, partedAt)
  }

  // MARK: RecordingSink

  package func append(
    _ bytes: UnsafeRawBufferPointer, cpu: Int
  ) throws(RecordingError) -> Bool {
    let bytes = RawSpan(_unsafeBytes: bytes)
    guard let header = try? EventDecoder.header(of: bytes), cpu >= 0, cpu < Self.cpuLimit,
      RecordLayout.isExact(bytes.extracting(0..<Int(header.size)))
    else {
      discarded(1, cpu: cpu)
      return false
    }
    try stream(of: cpu).append(bytes.extracting(0..<Int(header.size)))
    return true
  }

  package func append(_ event: Event) throws(RecordingError) {
    try stream(of: 0).append(event.encoded().span.bytes)
  }

  package func discarded(_ count: UInt64, cpu: Int) {
    let cpu = min(max(cpu, 0), Self.cpuLimit - 1)
    while lost.count <= cpu { lost.append(0) }
    lost[cpu] += count
  }

  package func flush(now: UInt64) throws(RecordingError) {
    for case .some(let stream) in streams where !stream.isEmpty {
      if stream.begin <= now, now - stream.begin >= RecordingWriter.flushNs { try stream.flush() }
    }
  }

  package func flushAll() throws(RecordingError) {
    for case .some(let stream) in streams { try stream.flush() }
  }

  package func update(_ environment: RecordingEnvironment) { self.environment = environment }

  package func checkPlace() throws(RecordingError) { try directory.place.check() }

  private func stream(of cpu: Int) -> StreamWriter {
    if cpu < streams.count, let stream = streams[cpu] { return stream }
    while streams.count <= cpu { streams.append(nil) }
    let stream = StreamWriter(to: .memory(ring), cpu: cpu, packetSize: packetSize)
    streams[cpu] = stream
    return stream
  }
}
