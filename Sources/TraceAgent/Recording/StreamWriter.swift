// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// One CPU's stream file: collects records to a packet, and writes packets whole.
///
/// CTF wants time to go forward in a stream. Records of one CPU arrive nearly in order: within a
/// packet they are put in order, and the time of one older than the last packet is moved to that
/// packet's end, and counted.
final class StreamWriter {
  /// Where packets go.
  enum Destination {
    case file(path: String, uuid: TraceUUID)
    case memory(PacketRing)
  }

  let cpu: Int
  /// Records lost by this CPU so far: told in the next packet.
  var discarded: UInt64 = 0
  private(set) var written: UInt64 = 0
  /// Bytes in the file.
  private(set) var size = 0
  /// On a full disk: frees something, and says whether to try again.
  var reclaim: (() -> Bool)?

  private let destination: Destination
  private let capacity: Int
  private var file: OutputFile?
  private var packet: UnsafeMutableRawBufferPointer
  private var used = PacketHeader.size
  private var records: UInt32 = 0
  private var firstTime = UInt64.max
  private var lastTime: UInt64 = 0
  private var isSorted = true
  /// The end of the last packet written.
  private var floor: UInt64 = 0
  private var sequence: UInt64 = 0
  private var clamped: UInt64 = 0
  private var discardedTold: UInt64 = 0

  init(to destination: Destination, cpu: Int, packetSize: Int) {
    self.destination = destination
    self.cpu = cpu
    capacity = packetSize
    packet = .allocate(byteCount: packetSize, alignment: 8)
  }

  deinit { packet.deallocate() }

  /// Records that wait for their packet to be written.
  var isEmpty: Bool { records == 0 }
  /// The earliest time of those.
  var begin: UInt64 { firstTime }
  /// Loss that no packet tells of yet.
  var hasUntoldLoss: Bool { discarded > discardedTold }

  /// Adds a whole record, exactly as long as its fields (``RecordLayout/isExact(_:)``).
  func append(_ record: RawSpan) throws(RecordingError) {
    if used + record.byteCount > capacity {
      try flush()
      reserve(used + record.byteCount)
    }
    let place = UnsafeMutableRawBufferPointer(rebasing: packet[used..<used + record.byteCount])
    record.withUnsafeBytes { place.copyMemory(from: $0) }
    var time = place.loadUnaligned(as: UInt64.self)
    if time < floor {
      time = floor
      place.storeBytes(of: time, as: UInt64.self)
      clamped += 1
    }
    if time < lastTime { isSorted = false }
    firstTime = min(firstTime, time)
    lastTime = max(lastTime, time)
    used += record.byteCount
    records += 1
  }

  /// Writes the packet, if there is anything in it.
  func flush() throws(RecordingError) {
    if records > 0 { try writePacket(begin: firstTime, end: lastTime) }
  }

  /// Writes a packet without records for the sake of the loss it tells.
  ///
  /// Its time is the end of the packet before, so that no record still on its way is late. Before
  /// any packet there is none: then nothing is written, and the loss waits.
  func writeLoss() throws(RecordingError) {
    if sequence > 0 { try writePacket(begin: floor, end: floor) }
  }

  /// As ``writeLoss()``, with a time for the case that it is the first packet.
  func writeLoss(first timeNs: UInt64) throws(RecordingError) {
    let time = sequence > 0 ? floor : timeNs
    try writePacket(begin: time, end: time)
  }

  /// Adds a packet that another writer of this CPU's stream has put together.
  func adopt(
    _ given: PacketRing.Packet, _ bytes: UnsafeRawBufferPointer
  ) throws(RecordingError) {
    reserve(bytes.count)
    packet.copyMemory(from: bytes)
    used = bytes.count
    records = given.records
    firstTime = given.begin
    lastTime = given.end
    clamped = given.clamped
    try flush()
  }

  /// Has what is written go to the disk; waits for it where asked to.
  func sync(wait: Bool) { file?.sync(wait: wait) }

  func closeFile() { file = nil }

  private func writePacket(begin: UInt64, end: UInt64) throws(RecordingError) {
    if !isSorted { sort() }
    // A reader takes the difference to the packet before for the loss: loss in the first packet
    // needs one before.
    if sequence == 0 && discarded > 0 {
      var header = PacketHeader()
      header.timeBegin = begin
      header.timeEnd = begin
      try write(header, size: PacketHeader.size)
    }
    var header = PacketHeader()
    header.timeBegin = begin
    header.timeEnd = end
    header.discarded = discarded
    header.clamped = clamped
    header.records = records
    try write(header, size: used)
    written += UInt64(records)
    floor = end
    discardedTold = discarded
    used = PacketHeader.size
    records = 0
    firstTime = .max
    lastTime = end
    isSorted = true
  }

  /// Writes the first `size` bytes of the packet with `header`.
  private func write(_ header: PacketHeader, size: Int) throws(RecordingError) {
    switch destination {
    case .memory(let ring):
      // Its header is written with the file that it may once go to.
      ring.add(
        .init(
          cpu: cpu, begin: header.timeBegin, end: header.timeEnd, records: header.records,
          clamped: clamped),
        UnsafeRawBufferPointer(rebasing: packet[..<size]))
    case .file(let path, let uuid):
      var header = header
      header.packetSize = size
      header.sequence = sequence
      header.cpu = UInt32(cpu)
      header.checksum = Checksum.of(
        UnsafeRawBufferPointer(rebasing: packet[PacketHeader.size..<size]))
      header.store(in: packet, uuid: uuid)
      try reclaiming { () throws(RecordingError) in
        if file == nil { file = try OutputFile.create(path) }
        try file?.append(UnsafeRawBufferPointer(rebasing: packet[..<size]))
      }
      self.size += size
    }
    sequence += 1
  }

  private func reclaiming(_ work: () throws(RecordingError) -> Void) throws(RecordingError) {
    while true {
      do throws(RecordingError) {
        return try work()
      } catch {
        guard error.isFullDisk, reclaim?() == true else { throw error }
      }
    }
  }

  /// Makes room for a packet of one large record.
  private func reserve(_ size: Int) {
    guard size > packet.count else { return }
    packet.deallocate()
    packet = .allocate(byteCount: size, alignment: 8)
  }

  /// Puts the records in order of time; those of the same time stay as they came.
  private func sort() {
    var places: [(time: UInt64, offset: Int, size: Int)] = []
    places.reserveCapacity(Int(records))
    var offset = PacketHeader.size
    while offset < used {
      let header = packet.loadUnaligned(fromByteOffset: offset, as: mrt_header.self)
      places.append((header.time_ns, offset, Int(header.size)))
      offset += Int(header.size)
    }
    places.sort { ($0.time, $0.offset) < ($1.time, $1.offset) }
    let sorted = UnsafeMutableRawBufferPointer.allocate(byteCount: packet.count, alignment: 8)
    var end = PacketHeader.size
    for place in places {
      UnsafeMutableRawBufferPointer(rebasing: sorted[end..<end + place.size])
        .copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: packet[place.offset..<place.offset + place.size]))
      end += place.size
    }
    packet.deallocate()
    packet = sorted
  }
}
