// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Recording

/// A stream file with other records in its packets, as another version may have written it.
enum RewrittenStream {
  /// `change` gets each packet's header and records, and returns the new records. Sizes and
  /// checksums are made right.
  static func of(
    _ old: [UInt8], headerSize: Int = PacketHeader.size, uuid: TraceUUID,
    newHeaderSize: Int = PacketHeader.size,
    _ change: (inout PacketHeader, [UInt8]) throws -> [UInt8]
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var offset = 0
    while offset < old.count {
      let head = Array(old[offset..<offset + headerSize])
      let found = PacketHeader(head.span.bytes, uuid: uuid)
      var header = try #require(found)
      let records = Array(old[offset + headerSize..<offset + header.packetSize])
      offset += header.packetSize
      let changed = try change(&header, records)
      header.packetSize = newHeaderSize + changed.count
      header.checksum = Checksum.of(changed.span.bytes)
      var packet = [UInt8](repeating: 0, count: PacketHeader.size)
      packet.withUnsafeMutableBytes { header.store(in: $0, uuid: uuid) }
      bytes += packet.prefix(newHeaderSize) + changed
    }
    return bytes
  }
}
