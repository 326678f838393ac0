// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// The newest packets of all CPUs, in one piece of memory that never grows: where a new one needs
/// room, the oldest go.
final class PacketRing {
  struct Packet {
    var cpu: Int
    var begin: UInt64
    var end: UInt64
    var records: UInt32
    /// Of its stream, so far.
    var clamped: UInt64
    fileprivate(set) var offset = 0
    fileprivate(set) var size = 0
  }

  /// Records of packets that had to go.
  private(set) var overwritten: UInt64 = 0
  /// Of those, the last time.
  private(set) var overwrittenUntil: UInt64?

  private let memory: UnsafeMutableRawBufferPointer
  /// From `head` on, oldest first.
  private var packets: [Packet] = []
  private var head = 0
  /// Where the newest packet ends.
  private var tail = 0

  /// Memory that is not used yet takes no room: the kernel gives it page by page.
  init(size: Int) { memory = .allocate(byteCount: size, alignment: 8) }

  deinit { memory.deallocate() }

  var isEmpty: Bool { head == packets.count }

  /// False: it is larger than all the memory, and counted as overwritten.
  @discardableResult
  func add(_ packet: Packet, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= memory.count else {
      forget(packet)
      return false
    }
    var packet = packet
    packet.offset = place(bytes.count)
    packet.size = bytes.count
    UnsafeMutableRawBufferPointer(rebasing: memory[packet.offset..<packet.offset + packet.size])
      .copyMemory(from: bytes)
    packets.append(packet)
    tail = packet.offset + packet.size
    return true
  }

  func removeAll() {
    packets.removeAll(keepingCapacity: true)
    head = 0
    tail = 0
  }

  /// All packets, oldest first.
  func forEach<Failure: Error>(
    _ body: (Packet, UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    for packet in packets[head...] {
      let bytes = memory[packet.offset..<packet.offset + packet.size]
      try body(packet, UnsafeRawBufferPointer(rebasing: bytes))
    }
  }

  /// The stacks in all packets.
  func stacks() -> [StackRecord] {
    var stacks: [StackRecord] = []
    forEach { _, bytes in
      var rest = UnsafeRawBufferPointer(rebasing: bytes[PacketHeader.size...])
      while let header = try? EventDecoder.header(of: RawSpan(_unsafeBytes: rest)) {
        if header.kind == MRT_KIND_STACK.rawValue,
          case .stack(let stack)? = try? EventDecoder.decode(rest)
        {
          stacks.append(stack)
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[Int(header.size)...])
      }
    }
    return stacks
  }

  /// Room for `size` bytes in one piece.
  private func place(_ size: Int) -> Int {
    while !isEmpty {
      let first = packets[head].offset
      if tail > first {
        if size <= memory.count - tail { return tail }
        if size <= first { return 0 }
      } else if size <= first - tail {
        return tail
      }
      forget(packets[head])
      head += 1
      if head > 1024 && head > packets.count / 2 {
        packets.removeFirst(head)
        head = 0
      }
    }
    removeAll()
    return 0
  }

  private func forget(_ packet: Packet) {
    overwritten += UInt64(packet.records)
    overwrittenUntil = max(overwrittenUntil ?? 0, packet.end)
  }
}
