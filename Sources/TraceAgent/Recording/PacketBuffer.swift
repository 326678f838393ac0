// SPDX-License-Identifier: Apache-2.0

import CEvents

/// A packet on its way: room for its header, and the records so far.
///
/// Every record of a run goes through here. So it lives behind a pointer: what a class holds is checked for exclusive
/// access, and counted, each time it is used.
struct PacketBuffer {
  /// Bytes that a packet has, unless one record needs more.
  let limit: Int
  private(set) var bytes: UnsafeMutableRawBufferPointer
  /// With the header.
  private(set) var used = PacketHeader.size
  private(set) var records: UInt32 = 0
  private(set) var firstTime = UInt64.max
  private(set) var lastTime: UInt64 = 0
  private(set) var isSorted = true
  /// The end of the packet before: no record is older.
  private(set) var floor: UInt64 = 0
  /// Records whose time was moved to it, of all packets so far.
  private(set) var clamped: UInt64 = 0

  static func make(limit: Int) -> UnsafeMutablePointer<PacketBuffer> {
    let buffer = UnsafeMutablePointer<PacketBuffer>.allocate(capacity: 1)
    buffer.initialize(
      to: PacketBuffer(limit: limit, bytes: .allocate(byteCount: limit, alignment: 8)))
    return buffer
  }

  private init(limit: Int, bytes: UnsafeMutableRawBufferPointer) {
    self.limit = limit
    self.bytes = bytes
  }

  static func free(_ buffer: UnsafeMutablePointer<PacketBuffer>) {
    buffer.pointee.bytes.deallocate()
    buffer.deallocate()
  }

  func hasRoom(for size: Int) -> Bool { size <= limit - used }

  /// Adds a record, where there is room for it.
  @inline(__always)
  mutating func add(_ record: UnsafeRawPointer, size: Int) {
    let place = bytes.baseAddress.unsafelyUnwrapped + used
    place.copyMemory(from: record, byteCount: size)
    var time = place.loadUnaligned(as: UInt64.self)
    if time < floor {
      time = floor
      place.storeBytes(of: time, as: UInt64.self)
      clamped += 1
    }
    if time < lastTime { isSorted = false }
    firstTime = min(firstTime, time)
    lastTime = max(lastTime, time)
    used += size
    records += 1
  }

  /// Makes room for a packet of one large record; what is there is lost.
  mutating func reserve(_ size: Int) {
    guard size > bytes.count else { return }
    bytes.deallocate()
    bytes = .allocate(byteCount: size, alignment: 8)
  }

  /// Takes over a packet that is whole.
  mutating func adopt(_ packet: PacketRing.Packet, _ given: UnsafeRawBufferPointer) {
    reserve(given.count)
    bytes.copyMemory(from: given)
    used = given.count
    records = packet.records
    firstTime = packet.begin
    lastTime = packet.end
    clamped = packet.clamped
  }

  /// Begins the next packet after one that ended at `end`.
  mutating func begin(after end: UInt64) {
    floor = end
    used = PacketHeader.size
    records = 0
    firstTime = .max
    lastTime = end
    isSorted = true
  }

  /// Puts the records in order of time; those of the same time stay as they came.
  mutating func sort() {
    var places: [(time: UInt64, offset: Int, size: Int)] = []
    places.reserveCapacity(Int(records))
    var offset = PacketHeader.size
    while offset < used {
      let header = bytes.loadUnaligned(fromByteOffset: offset, as: mrt_header.self)
      places.append((header.time_ns, offset, Int(header.size)))
      offset += Int(header.size)
    }
    places.sort { ($0.time, $0.offset) < ($1.time, $1.offset) }
    let sorted = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    var end = PacketHeader.size
    for place in places {
      UnsafeMutableRawBufferPointer(rebasing: sorted[end..<end + place.size])
        .copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: bytes[place.offset..<place.offset + place.size]))
      end += place.size
    }
    bytes.deallocate()
    bytes = sorted
  }
}
