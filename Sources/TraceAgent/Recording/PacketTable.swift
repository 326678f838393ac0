// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The packets being filled, by CPU: the way of nearly every record, without a look at anything else.
final class PacketTable {
  private typealias Buffer = UnsafeMutablePointer<PacketBuffer>
  private struct Table {
    var buffers: UnsafeMutablePointer<Buffer?>
    var count: Int
  }
  /// Behind a pointer, as ``PacketBuffer``.
  private let table: UnsafeMutablePointer<Table>

  init() {
    table = .allocate(capacity: 1)
    table.initialize(to: Table(buffers: .allocate(capacity: 0), count: 0))
  }

  deinit {
    table.pointee.buffers.deallocate()
    table.deallocate()
  }

  /// Adds the record at the start of `bytes`. False, and nothing done: it is none, or it is not that simple.
  @inline(__always)
  func add(_ bytes: UnsafeRawBufferPointer, cpu: Int) -> Bool {
    guard let record = RecordLayout.exactRecord(in: bytes), let base = record.baseAddress,
      UInt(bitPattern: cpu) < UInt(bitPattern: table.pointee.count),
      let buffer = table.pointee.buffers[cpu], buffer.pointee.hasRoom(for: record.count)
    else { return false }
    buffer.pointee.add(base, size: record.count)
    return true
  }

  /// `buffer` stays there for as long as this table, or until ``removeAll()``.
  func set(_ buffer: UnsafeMutablePointer<PacketBuffer>, cpu: Int) {
    if cpu >= table.pointee.count {
      let count = cpu + 1
      let larger = UnsafeMutablePointer<Buffer?>.allocate(capacity: count)
      larger.initialize(repeating: nil, count: count)
      larger.update(from: table.pointee.buffers, count: table.pointee.count)
      table.pointee.buffers.deallocate()
      table.pointee = Table(buffers: larger, count: count)
    }
    table.pointee.buffers[cpu] = buffer
  }

  func removeAll() { table.pointee.count = 0 }
}
