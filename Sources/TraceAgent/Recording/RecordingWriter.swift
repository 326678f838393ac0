// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc

/// Writes a recording: a directory with `metadata` and one stream file for each CPU, in CTF 1.8.
///
/// Records go into packets as they are; a packet is written when it is full, after a second, and at
/// the end, with one `write()`. So a recording cut off anywhere reads back up to its last packet.
/// Not thread-safe: one owner.
package final class RecordingWriter: RecordingSink {
  package var path: String { place.path }
  /// Records that were no valid records, or of a CPU that cannot be: counted as discarded.
  package private(set) var refused: UInt64 = 0

  private var place: RecordingPlace
  private let uuid: TraceUUID
  private let packetSize: Int
  private let metadataSize: Int
  /// By CPU.
  private var streams: [StreamWriter?] = []
  /// The packets that those fill; empty once the recording has stopped.
  private let buffers = PacketTable()
  /// What stopped the recording for good.
  private var failure: RecordingError? {
    didSet { if failure != nil { buffers.removeAll() } }
  }

  /// Bytes of a packet, unless one record needs more.
  package static let packetSize = 64 * 1024
  /// CPU numbers are below this.
  private static let cpuLimit = 65536
  static let flushNs: UInt64 = 1_000_000_000

  /// On a full disk: frees something, and says whether to try again.
  var reclaim: (() -> Bool)?

  private init(
    place: RecordingPlace, uuid: TraceUUID, packetSize: Int, metadataSize: Int
  ) {
    self.place = place
    self.uuid = uuid
    self.packetSize = packetSize
    self.metadataSize = metadataSize
  }

  /// Makes the directory `path`, which must not be there, and its metadata.
  ///
  /// The metadata appears under its name only when it is whole. On failure nothing is left behind.
  package static func create(
    at path: String, environment: RecordingEnvironment, packetSize: Int = RecordingWriter.packetSize
  ) throws(RecordingError) -> RecordingWriter {
    let place = try RecordingPlace.make(path)
    let uuid = TraceUUID.random()
    do throws(RecordingError) {
      let size = try writeMetadata(of: environment, uuid: uuid, in: path)
      return RecordingWriter(
        place: place, uuid: uuid, packetSize: max(packetSize, PacketHeader.size),
        metadataSize: size)
    } catch {
      _ = rmdir(path)
      throw error
    }
  }

  /// Gives the directory another name: nothing that is not whole has the name of a part.
  func move(to path: String) throws(RecordingError) {
    guard rename(self.path, path) == 0 else { throw .cannotCreate(path: path, errno: errno) }
    place = place.moved(to: path)
  }

  package func checkPlace() throws(RecordingError) {
    try checkOpen()
    try noting(place.check)
  }

  /// Replaces the metadata while recording: hooks have been attached since. A reader finds the old
  /// text or the new one, whole.
  package func update(_ environment: RecordingEnvironment) throws(RecordingError) {
    try checkOpen()
    try noting { () throws(RecordingError) in
      _ = try Self.writeMetadata(of: environment, uuid: uuid, in: path)
    }
  }

  /// As ``update(_:)``, but that it failed stops nothing.
  func retell(_ environment: RecordingEnvironment) {
    _ = try? Self.writeMetadata(of: environment, uuid: uuid, in: path)
  }

  /// Returns its size.
  private static func writeMetadata(
    of environment: RecordingEnvironment, uuid: TraceUUID, in path: String
  ) throws(RecordingError) -> Int {
    let draft = "\(path)/.metadata.draft"
    do throws(RecordingError) {
      let text = CTFMetadata.text(of: environment, uuid: uuid)
      try write(text, to: draft)
      guard rename(draft, "\(path)/metadata") == 0 else {
        throw .cannotCreate(path: "\(path)/metadata", errno: errno)
      }
      return text.utf8.count
    } catch {
      _ = unlink(draft)
      throw error
    }
  }

  private static func write(_ text: String, to path: String) throws(RecordingError) {
    let bytes = Array(text.utf8)
    var file = try OutputFile.create(path)
    try bytes.span.bytes.withUnsafeBytes { (text) throws(RecordingError) in
      try file.append(text)
    }
    // Without waiting: what follows is not held up.
    file.sync(wait: false)
  }

  /// Adds the record at the start of `bytes` to the stream of `cpu`; false where it is none, which
  /// is counted.
  ///
  /// Throws when a packet could not be written: then the recording ends with the packet before, and
  /// every further call throws the same.
  @discardableResult
  package func append(_ bytes: UnsafeRawBufferPointer, cpu: Int) throws(RecordingError) -> Bool {
    if buffers.add(bytes, cpu: cpu) { return true }
    return try append(RawSpan(_unsafeBytes: bytes), cpu: cpu)
  }

  /// As ``append(_:cpu:)``.
  @discardableResult
  package func append(_ bytes: RawSpan, cpu: Int) throws(RecordingError) -> Bool {
    try checkOpen()
    guard let header = try? EventDecoder.header(of: bytes), cpu >= 0, cpu < Self.cpuLimit,
      RecordLayout.isExact(bytes.extracting(0..<Int(header.size)))
    else {
      refuse(cpu: cpu)
      return false
    }
    let stream = stream(of: cpu)
    try noting { () throws(RecordingError) in
      try stream.append(bytes.extracting(0..<Int(header.size)))
    }
    return true
  }

  /// Adds an event of the agent's own making to the stream of CPU 0.
  package func append(_ event: Event) throws(RecordingError) {
    let record = event.encoded()
    try append(record.span.bytes, cpu: 0)
  }

  /// Tells that `cpu` has lost `count` more records.
  package func discarded(_ count: UInt64, cpu: Int) {
    guard count > 0 else { return }
    stream(of: min(max(cpu, 0), Self.cpuLimit - 1)).discarded += count
  }

  /// Adds a packet that the flight recorder has kept.
  func adopt(
    _ packet: PacketRing.Packet, _ bytes: UnsafeRawBufferPointer
  ) throws(RecordingError) {
    try checkOpen()
    let stream = stream(of: packet.cpu)
    try noting { () throws(RecordingError) in try stream.adopt(packet, bytes) }
  }

  /// Writes the packets that hold records a second old, or older, at `now` (CLOCK_MONOTONIC, ns).
  package func flush(now: UInt64) throws(RecordingError) {
    try checkOpen()
    for case .some(let stream) in streams {
      if stream.isEmpty {
        if stream.hasUntoldLoss { try noting(stream.writeLoss) }
      } else if stream.begin <= now, now - stream.begin >= Self.flushNs {
        try noting(stream.flush)
      }
    }
  }

  package func flushAll() throws(RecordingError) {
    try checkOpen()
    for case .some(let stream) in streams { try noting(stream.flush) }
  }

  /// Writes all that is left, and the closing record that tells a reader so.
  ///
  /// `waiting` for the disk, so that it is there after a power failure; without, the disk is only
  /// told to begin.
  package func close(now: UInt64, waiting: Bool = true) throws(RecordingError) {
    try flushAll()
    for case .some(let stream) in streams where stream.hasUntoldLoss {
      try noting { () throws(RecordingError) in try stream.writeLoss(first: now) }
    }
    let closing = Event.closing(written: written, discarded: discarded, timeNs: now).encoded()
    let stream = stream(of: 0)
    try noting { () throws(RecordingError) in
      try stream.append(closing.span.bytes)
      try stream.flush()
    }
    for case .some(let stream) in streams {
      stream.sync(wait: waiting)
      stream.closeFile()
    }
    failure = .closed(path: path)
  }

  /// Records in the files; after `close`, with the closing record.
  package var written: UInt64 { streams.reduce(0) { $0 + ($1?.written ?? 0) } }
  /// Records known to be lost.
  package var discarded: UInt64 { streams.reduce(0) { $0 + ($1?.discarded ?? 0) } }

  /// Bytes in its files.
  var size: Int { metadataSize + streams.reduce(0) { $0 + ($1?.size ?? 0) } }

  private func refuse(cpu: Int) {
    refused += 1
    discarded(1, cpu: cpu)
  }

  private func stream(of cpu: Int) -> StreamWriter {
    if cpu < streams.count, let stream = streams[cpu] { return stream }
    while streams.count <= cpu { streams.append(nil) }
    let stream = StreamWriter(
      to: .file(path: "\(path)/stream_\(cpu)", uuid: uuid), cpu: cpu, packetSize: packetSize)
    stream.reclaim = { [weak self] in self?.reclaim?() ?? false }
    streams[cpu] = stream
    buffers.set(stream.buffer, cpu: cpu)
    return stream
  }

  private func checkOpen() throws(RecordingError) {
    if let failure { throw failure }
  }

  private func noting(_ work: () throws(RecordingError) -> Void) throws(RecordingError) {
    do throws(RecordingError) {
      try work()
    } catch {
      failure = error
      throw error
    }
  }
}
