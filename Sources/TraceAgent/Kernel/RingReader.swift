// SPDX-License-Identifier: Apache-2.0

import CBPF
import Glibc
import Model

/// Reads a BPF ring buffer through its mapped pages (kernel/bpf/ringbuf.c): the consumer's page, the producer's page,
/// and the data, mapped twice so that no record is ever split.
package struct RingReader: ~Copyable {
  private let consumer: UnsafeMutableRawPointer
  private let producer: UnsafeMutableRawPointer
  private let data: UnsafeMutableRawPointer
  private let size: Int
  private let pageSize: Int
  package let descriptor: CInt

  private static let busy: UInt32 = 1 << 31
  private static let discarded: UInt32 = 1 << 30
  private static let header = 8

  /// `descriptor` is the map's and stays the caller's; `size` is in bytes, a power of two.
  package init(descriptor: CInt, size: Int) throws(KernelError) {
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    guard let consumer = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      consumer != MAP_FAILED
    else { throw .system(call: "mmap of the ring buffer", errno: Errno(rawValue: errno)) }
    guard let producer = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, descriptor, page),
      producer != MAP_FAILED
    else {
      let error = Errno(rawValue: errno)
      munmap(consumer, page)
      throw .system(call: "mmap of the ring buffer", errno: error)
    }
    self.consumer = consumer
    self.producer = producer
    self.data = producer + page
    self.size = size
    self.pageSize = page
    self.descriptor = descriptor
  }

  deinit {
    munmap(consumer, pageSize)
    munmap(producer, pageSize + 2 * size)
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
    var count = 0
    var goesOn = true
    while goesOn, position < cbpf_load_acquire_u64(producer) {
      let record = data + Int(position & UInt64(size - 1))
      let word = cbpf_load_acquire_u32(record)
      if word & RingReader.busy != 0 { break }  // reserved, not yet submitted
      let length = Int(word & ~(RingReader.busy | RingReader.discarded))
      if word & RingReader.discarded == 0 {
        goesOn = body(UnsafeRawBufferPointer(start: record + RingReader.header, count: length))
        count += 1
      }
      position += UInt64((length + RingReader.header + 7) & ~7)
      cbpf_store_release_u64(consumer, position)
    }
    return count
  }
}
