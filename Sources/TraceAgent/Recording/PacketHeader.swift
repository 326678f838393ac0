// SPDX-License-Identifier: Apache-2.0

/// What stands before the records of a packet: CTF's packet header and packet context, as the
/// metadata describes them.
struct PacketHeader: Equatable {
  /// CTF's magic number.
  static let magic: UInt32 = 0xC1FC_1FC1
  /// Bytes.
  static let size = 96
  /// Bytes before format 1.2, which had no checksums.
  static let sizeWithoutChecksums = 88

  var timeBegin: UInt64 = 0
  var timeEnd: UInt64 = 0
  /// Bytes, this header included. There is no padding: the packet is as long.
  var packetSize = PacketHeader.size
  /// Records of this CPU lost so far.
  var discarded: UInt64 = 0
  /// 0, 1, 2, … in each stream.
  var sequence: UInt64 = 0
  /// Records of this stream whose time was moved so far.
  var clamped: UInt64 = 0
  /// Records in this packet.
  var records: UInt32 = 0
  var cpu: UInt32 = 0
  /// CRC-32C of the records; nil before format 1.2.
  var checksum: UInt32? = 0
  /// Bytes of this header.
  private(set) var length = PacketHeader.size

  /// Writes the header to the first ``size`` bytes of `packet`, with its own checksum in the last
  /// four.
  func store(in packet: UnsafeMutableRawBufferPointer, uuid: TraceUUID) {
    packet.storeBytes(of: Self.magic, toByteOffset: 0, as: UInt32.self)
    for (index, byte) in uuid.bytes.enumerated() { packet[4 + index] = byte }
    packet.storeBytes(of: 0, toByteOffset: 20, as: UInt32.self)
    let bits = UInt64(packetSize) * 8
    let words = [timeBegin, timeEnd, bits, bits, discarded, sequence, clamped]
    for (index, word) in words.enumerated() {
      packet.storeBytes(of: word, toByteOffset: 24 + 8 * index, as: UInt64.self)
    }
    packet.storeBytes(of: records, toByteOffset: 80, as: UInt32.self)
    packet.storeBytes(of: cpu, toByteOffset: 84, as: UInt32.self)
    packet.storeBytes(of: checksum ?? 0, toByteOffset: 88, as: UInt32.self)
    let own = Checksum.of(UnsafeRawBufferPointer(rebasing: packet[..<Self.ownChecksum]))
    packet.storeBytes(of: own, toByteOffset: Self.ownChecksum, as: UInt32.self)
  }

  private static let ownChecksum = 92

  init() {}

  /// Reads the header at the start of `bytes`, whose number tells which; nil where it is none of
  /// this trace's, or contradicts itself or its checksum.
  init?(_ bytes: RawSpan, uuid: TraceUUID) {
    guard bytes.byteCount == Self.size || bytes.byteCount == Self.sizeWithoutChecksums,
      bytes.u32(at: 0) == Self.magic,
      (0..<TraceUUID.size).allSatisfy({ bytes.u8(at: 4 + $0) == uuid.bytes[$0] }),
      bytes.u32(at: 20) == 0
    else { return nil }
    timeBegin = bytes.u64(at: 24)
    timeEnd = bytes.u64(at: 32)
    let bits = bytes.u64(at: 48)
    guard timeBegin <= timeEnd, bytes.u64(at: 40) == bits, bits % 8 == 0,
      let size = Int(exactly: bits / 8), size >= bytes.byteCount
    else { return nil }
    packetSize = size
    discarded = bytes.u64(at: 56)
    sequence = bytes.u64(at: 64)
    clamped = bytes.u64(at: 72)
    records = bytes.u32(at: 80)
    cpu = bytes.u32(at: 84)
    length = bytes.byteCount
    guard length == Self.size else {
      checksum = nil
      return
    }
    checksum = bytes.u32(at: 88)
    guard Checksum.of(bytes.extracting(0..<Self.ownChecksum)) == bytes.u32(at: Self.ownChecksum)
    else { return nil }
  }
}

extension RawSpan {
  fileprivate func u8(at offset: Int) -> UInt8 {
    unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
  fileprivate func u32(at offset: Int) -> UInt32 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }
  fileprivate func u64(at offset: Int) -> UInt64 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }
}
