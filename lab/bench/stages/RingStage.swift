// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Events
import Glibc
import Kernel
import Pump
import Recording

/// A real ring buffer, filled by a real BPF program (bpf/selftest.bpf.c) while the clock stands still.
struct RingStage: ~Copyable {
  private static let size = 4 << 20

  private let object: OpaquePointer
  private let program: CInt
  private let ring: RingReader
  private let events: UInt64

  init(object path: String, events: String) {
    guard let events = UInt64(events) else { Stages.fail("EVENTS is a number", status: 2) }
    self.events = events
    cbpf_silence()
    guard let object = bpf_object__open_file(path, nil),
      let map = bpf_object__find_map_by_name(object, "ring"),
      bpf_map__set_max_entries(map, UInt32(Self.size)) == 0, bpf_object__load(object) == 0,
      let program = bpf_object__find_program_by_name(object, "produce"),
      let ring = try? RingReader(descriptor: bpf_map__fd(map), size: Self.size)
    else { Stages.fail("\(path) cannot be loaded: it needs root", status: 1) }
    self.object = object
    self.program = bpf_program__fd(program)
    self.ring = ring
  }

  /// Fills the ring buffer.
  private func fill() {
    let record = MemoryLayout<mrt_layer>.size + 8
    var packet = [UInt8](repeating: 0, count: 64)
    packet.withUnsafeMutableBytes { bytes in
      var options = bpf_test_run_opts()
      options.sz = MemoryLayout<bpf_test_run_opts>.size
      options.data_in = UnsafeRawPointer(bytes.baseAddress)
      options.data_size_in = UInt32(bytes.count)
      options.repeat = CInt(Self.size / record - 1)
      guard bpf_prog_test_run_opts(program, &options) == 0 else {
        Stages.fail("the BPF program does not run", status: 1)
      }
    }
  }

  consuming func drain() {
    var timer = Timer()
    var bytes = 0
    while timer.events < events {
      timer.pause()
      fill()
      timer.resume()
      timer.events += UInt64(ring.drain { bytes += $0.count })
    }
    timer.tell(bytes: bytes)
  }

  /// As `record` does it.
  consuming func record(as template: String, to path: String) throws(RecordingError) {
    let environment = try RecordedRuns.open([template]).runs[0].environment
    let writer = try RecordingWriter.create(at: path, environment: environment)
    var pump = RecordPump(.whole(writer))
    var timer = Timer()
    while timer.events < events, pump.failure == nil {
      timer.pause()
      fill()
      timer.resume()
      let before = pump.records
      pump.drain(ring)
      timer.events += pump.records - before
    }
    if let failure = pump.failure { throw failure }
    try writer.flushAll()
    timer.tell(bytes: Int(timer.events) * MemoryLayout<mrt_layer>.size)
  }
}
