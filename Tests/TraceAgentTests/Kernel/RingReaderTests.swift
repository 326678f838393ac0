// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Foundation
import Testing

@testable import Kernel

/// A real ring buffer, filled by a real BPF program (bpf/selftest.bpf.c); needs the right to load a socket filter.
@Suite(.enabled(if: SelfTest.canLoad, "loading a BPF socket filter is not permitted here"))
struct RingReaderTests {
  /// The window that is mapped: all of the buffer, or much less.
  @Test(arguments: [RingReader.windowSize, 8192])
  func everyRecordOnceAndInOrder(window: Int) throws {
    let test = try #require(SelfTest())
    let ring = try RingReader(
      descriptor: test.map("ring"), size: SelfTest.ringSize, window: window)
    var numbers: [UInt64] = []
    // several times round the buffer
    for _ in 0..<20 {
      test.produce(200)
      ring.drain { bytes in
        #expect(bytes.count == MemoryLayout<mrt_layer>.size)
        numbers.append(bytes.loadUnaligned(as: mrt_layer.self).arguments.0)
      }
    }
    #expect(numbers == Array(1...4000))
    #expect(ring.drain { _ in } == 0)
  }

  @Test func aReaderThatStopsGoesOnAfterWhatItTook() throws {
    let test = try #require(SelfTest())
    let ring = try RingReader(descriptor: test.map("ring"), size: SelfTest.ringSize, window: 8192)
    test.produce(100)
    var numbers: [UInt64] = []
    for _ in 0..<100 {
      ring.drainWhile {
        numbers.append($0.loadUnaligned(as: mrt_layer.self).arguments.0)
        return false
      }
    }
    #expect(numbers == Array(1...100))
  }

  @Test func receivedAndLostMakeAll() throws {
    let test = try #require(SelfTest())
    let ring = try RingReader(descriptor: test.map("ring"), size: SelfTest.ringSize)
    test.produce(3000)  // more than the buffer holds
    var received: [UInt64] = []
    ring.drain { received.append($0.loadUnaligned(as: mrt_layer.self).arguments.0) }
    let counts = try #require(test.counts())
    #expect(counts.number == 3000)
    #expect(counts.lost > 0)
    #expect(UInt64(received.count) + counts.lost == counts.number)
    #expect(received == Array(1...UInt64(received.count)))
  }
}

/// The loaded self-test object.
final class SelfTest {
  static let ringSize = 64 * 1024
  static let canLoad = SelfTest() != nil

  private let object: OpaquePointer
  private let program: CInt

  init?() {
    cbpf_silence()
    let image = BPFObjectImage.decode(BPFObjectImage.selftest)
    guard
      let object = image.withUnsafeBytes({ bpf_object__open_mem($0.baseAddress, $0.count, nil) })
    else { return nil }
    guard bpf_object__load(object) == 0,
      let program = bpf_object__find_program_by_name(object, "produce")
    else {
      bpf_object__close(object)
      return nil
    }
    self.object = object
    self.program = bpf_program__fd(program)
  }

  deinit { bpf_object__close(object) }

  func map(_ name: String) -> CInt {
    bpf_map__fd(bpf_object__find_map_by_name(object, name))
  }

  func produce(_ times: Int32) {
    var packet = [UInt8](repeating: 0, count: 64)
    var options = bpf_test_run_opts()
    options.sz = MemoryLayout<bpf_test_run_opts>.size
    options.data_size_in = UInt32(packet.count)
    options.repeat = times
    packet.withUnsafeMutableBytes { options.data_in = UnsafeRawPointer($0.baseAddress) }
    #expect(bpf_prog_test_run_opts(program, &options) == 0)
  }

  func counts() -> (number: UInt64, lost: UInt64)? {
    var key: UInt32 = 0
    var value: (UInt64, UInt64) = (0, 0)
    guard bpf_map_lookup_elem(map("counts"), &key, &value) == 0 else { return nil }
    return (value.0, value.1)
  }
}
