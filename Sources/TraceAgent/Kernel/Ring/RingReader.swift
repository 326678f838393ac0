// SPDX-License-Identifier: Apache-2.0

import CBPF
import CLinux
import Glibc
import Model

/// Reads a BPF ring buffer through its mapped pages (kernel/bpf/ringbuf.c): the consumer's page, the producer's page,
/// and the data, mapped twice so that no record is ever split.
///
/// The kernel fills in all pages of a mapping at once, and each counts as this process's memory: so only a window of
/// the data is mapped, which moves on with the consumer.
package struct RingReader: ~Copyable {
  private let consumer: UnsafeMutableRawPointer
  private let producer: UnsafeMutableRawPointer
  /// Room for the window; what is mapped there begins at `windowStart` of the data.
  private let window: UnsafeMutableRawPointer
  private let windowSize: Int
  private let start: UnsafeMutablePointer<Int>
  private let size: Int
  private let pageSize: Int
  package let descriptor: CInt

  private static let busy: UInt32 = 1 << 31
  private static let discarded: UInt32 = 1 << 30
  private static let header = 8
  /// Bytes of data that are mapped, unless the buffer is smaller; no record is as long as half of them.
  package static let windowSize = 256 * 1024
  /// The producer is told of room so many bytes at a time: its processor reads that page for each record.
  private let step: UInt64

  /// `descriptor` is the map's and stays the caller's; `size` is in bytes, a power of two. `isUrgent`: this process runs
  /// before all others from now on, where it may: for one that does little with each record.
  package init(
    descriptor: CInt, size: Int, window wanted: Int = RingReader.windowSize, isUrgent: Bool = false
  ) throws(KernelError) {
    if isUrgent { cprivileges_raise_priority() }
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    let windowSize = min(2 * size, wanted)
    guard let consumer = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      consumer != MAP_FAILED
    else { throw .system(call: "mmap of the ring buffer", errno: Errno(rawValue: errno)) }
    guard let producer = mmap(nil, page, PROT_READ, MAP_SHARED, descriptor, page),
      producer != MAP_FAILED
    else {
      let error = Errno(rawValue: errno)
      munmap(consumer, page)
      throw .system(call: "mmap of the ring buffer", errno: error)
    }
    guard let window = mmap(nil, windowSize, PROT_READ, MAP_SHARED, descriptor, 2 * page),
      window != MAP_FAILED
    else {
      let error = Errno(rawValue: errno)
      munmap(consumer, page)
      munmap(producer, page)
      throw .system(call: "mmap of the ring buffer", errno: error)
    }
    self.consumer = consumer
    self.producer = producer
    self.window = window
    self.windowSize = windowSize
    start = .allocate(capacity: 1)
    start.initialize(to: 0)
    self.size = size
    step = UInt64(min(32 * 1024, size / 8))
    self.pageSize = page
    self.descriptor = descriptor
  }

  deinit {
    munmap(consumer, pageSize)
    munmap(producer, pageSize)
    munmap(window, windowSize)
    start.deallocate()
  }

  /// Calls `body` with every record that is complete, oldest first. The bytes are the kernel's own and valid only
  /// during the call. Returns how many there were.
  @discardableResult
  package func drain(_ body: (UnsafeRawBufferPointer) -> Void) -> Int {
    drainWhile {
      body($0)
      return true
    }
  }

  /// As ``drain(_:)``, as long as `body` wants more.
  @discardableResult
  package func drainWhile(_ body: (UnsafeRawBufferPointer) -> Bool) -> Int {
    var position = cbpf_load_acquire_u64(consumer)
    var told = position
    var count = 0
    while true {
      let end = cbpf_load_acquire_u64(producer)
      var goesOn = true
      while position < end {
        let offset = Int(position & UInt64(size - 1))
        guard let length = complete(at: offset), let record = mapped(offset, length) else { break }
        let word = cbpf_load_acquire_u32(record)
        if word & RingReader.discarded == 0 {
          let payload = UnsafeRawBufferPointer(
            start: record + RingReader.header, count: length - RingReader.header)
          goesOn = body(payload)
          count += 1
        }
        position += UInt64((length + 7) & ~7)
        if !goesOn { break }
        if position - told >= step { tell(position, &told) }
      }
      tell(position, &told)
      // A program wakes the agent only if all before its record was consumed. One that submitted meanwhile did not see
      // that yet, so look again.
      cbpf_full_barrier()
      guard goesOn, position < cbpf_load_acquire_u64(producer) else { return count }
      let offset = Int(position & UInt64(size - 1))
      guard let length = complete(at: offset), mapped(offset, length) != nil else { return count }
    }
  }

  private func tell(_ position: UInt64, _ told: inout UInt64) {
    if position != told { cbpf_store_release_u64(consumer, position) }
    told = position
  }

  /// Length of the record there with its header; nil where it is reserved and not yet submitted.
  private func complete(at offset: Int) -> Int? {
    guard let head = mapped(offset, RingReader.header) else { return nil }
    let word = cbpf_load_acquire_u32(head)
    if word & RingReader.busy != 0 { return nil }
    return RingReader.header + Int(word & ~(RingReader.busy | RingReader.discarded))
  }

  /// The data from `offset` on, `length` bytes of it in one piece; nil where they cannot be mapped.
  private func mapped(_ offset: Int, _ length: Int) -> UnsafeMutableRawPointer? {
    let place = offset - start.pointee
    if place >= 0, place + length <= windowSize { return window + place }
    return move(to: offset, length)
  }

  /// Moves the window to `offset`.
  private func move(to offset: Int, _ length: Int) -> UnsafeMutableRawPointer? {
    let new = min(offset & ~(pageSize - 1), 2 * size - windowSize)
    let place = offset - new
    guard place + length <= windowSize else { return nil }
    // where it fails, the old window may be gone too
    start.pointee = .min / 2
    guard
      mmap(
        window, windowSize, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor,
        2 * pageSize + new) == window
    else { return nil }
    start.pointee = new
    return window + place
  }
}
