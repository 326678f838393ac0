// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Recording

/// Processes on a few CPUs that register memory, give advice on it and fault it in, again and
/// again: real operations, each with a time, thread, address and memory region of its own.
struct Workload: ~Copyable {
  struct Shape {
    var cpus = 8
    var processes = 12
    var regionsPerProcess = 64
    /// One operation of so many fails.
    var failureEvery = 1000
    var seed: UInt64 = 1
  }

  private struct Region {
    /// The difference to the template's addresses: whole 2 MiB, so that a page stays at its place
    /// in the page table.
    var distance: UInt64
    var umem: UInt64
  }

  /// How often each kind of operation comes, of 100.
  private static let shares: [(kind: mrt_operation_kind, share: Int)] = [
    (MRT_OP_REG_MR, 15), (MRT_OP_ADVISE_MR, 35), (MRT_OP_PREFETCH, 15), (MRT_OP_PAGE_FAULT, 35),
  ]
  /// An emulated processor is slower than a real one by about so much.
  private static let haste: UInt64 = 32

  private let shape: Shape
  private let templates: Templates
  private var successes: [Template] = []
  private var failures: [Template]
  private var random: Random
  private var regions: [Region]
  private var clocks: [UInt64]
  private var umems: UInt64 = 0
  private var next = 0
  private(set) var batch = Batch()

  init(_ templates: Templates, shape: Shape, startNs: UInt64) {
    self.shape = shape
    self.templates = templates
    failures = templates.operations.filter(\.failed)
    let good = templates.operations.filter { !$0.failed }
    // A wheel: each kind on as many places as its share says, its templates in turn.
    for (kind, share) in Self.shares {
      let ofKind = good.filter { $0.kind == kind.rawValue }
      guard !ofKind.isEmpty else { continue }
      for place in 0..<share { successes.append(ofKind[place % ofKind.count]) }
    }
    random = Random(seed: shape.seed)
    clocks = (0..<shape.cpus).map { startNs + UInt64($0) * 997 }
    regions = (0..<shape.processes * shape.regionsPerProcess).map {
      Region(distance: UInt64($0 + 1) << 21, umem: 0)
    }
    for index in regions.indices { regions[index].umem = newUmem() }
  }

  var canSucceed: Bool { !successes.isEmpty }

  /// Adds operations until there are `count` events or a few more.
  mutating func run(events count: UInt64, to writer: RecordingWriter) throws(RecordingError) {
    var made: UInt64 = 0
    while made < count {
      let fails = !failures.isEmpty && random.below(shape.failureEvery) == 0
      let template =
        fails
        ? failures[random.below(failures.count)] : successes[random.below(successes.count)]
      let size = template.records.reduce(0) { $0 + $1.bytes.count }
      if !batch.hasRoom(for: size) { try batch.write(to: writer) }
      add(template)
      made += UInt64(template.records.count)
    }
    try batch.write(to: writer)
  }

  /// Names for the addresses in stacks, and the totals, as a recording ends with them.
  mutating func finish(_ writer: RecordingWriter) throws(RecordingError) -> UInt64 {
    let now = clocks.max() ?? 0
    for symbol in templates.symbols {
      var symbol = symbol
      symbol.header.time_ns = now
      if symbol.what == MRT_STACK_KERNEL.rawValue {
        try writer.append(.symbol(symbol))
        continue
      }
      for process in 0..<shape.processes {
        symbol.header.pid = pid(of: process)
        try writer.append(.symbol(symbol))
      }
    }
    for event in templates.totals {
      switch event {
      case .counter(var record):
        record.h.time_ns = now
        try writer.append(.counter(record))
      case .pages(var record):
        record.h.time_ns = now
        try writer.append(.pages(record))
      default: break
      }
    }
    return now
  }

  private func pid(of process: Int) -> UInt32 { UInt32(2000 + 100 * process) }

  private mutating func newUmem() -> UInt64 {
    umems += 1
    return 0xffff_8881_0000_0000 + (umems % (1 << 20)) * 0x400
  }

  private mutating func add(_ template: Template) {
    let cpu = next % shape.cpus
    next += 1
    let region = random.below(regions.count)
    let process = region / shape.regionsPerProcess
    if template.kind == MRT_OP_REG_MR.rawValue && !template.failed {
      regions[region].umem = newUmem()
    }
    let begin = clocks[cpu]
    clocks[cpu] += template.durationNs / Self.haste + UInt64(1000 + random.below(400_000))
    let tid =
      template.isWorkers ? UInt32(40 + cpu) : pid(of: process) + UInt32(cpu % 4)
    for record in template.records {
      let bytes = batch.add(record.bytes, cpu: cpu)
      for (place, offset) in record.places {
        switch place {
        case .time:
          let old = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          let time = begin + (old - min(template.startNs, old)) / Self.haste
          bytes.storeBytes(of: time, toByteOffset: offset, as: UInt64.self)
        case .operation: bytes.storeBytes(of: begin, toByteOffset: offset, as: UInt64.self)
        case .pid:
          let pid = template.isWorkers ? tid : pid(of: process)
          bytes.storeBytes(of: pid, toByteOffset: offset, as: UInt32.self)
        case .tid: bytes.storeBytes(of: tid, toByteOffset: offset, as: UInt32.self)
        case .cpu: bytes.storeBytes(of: UInt32(cpu), toByteOffset: offset, as: UInt32.self)
        case .owner: bytes.storeBytes(of: pid(of: process), toByteOffset: offset, as: UInt32.self)
        case .comm, .ownerComm: Self.store(name(of: process), in: bytes, at: offset)
        case .address:
          let old = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          bytes.storeBytes(
            of: old - regions[region].distance, toByteOffset: offset, as: UInt64.self)
        case .umem:
          bytes.storeBytes(of: regions[region].umem, toByteOffset: offset, as: UInt64.self)
        }
      }
    }
  }

  /// "server-a", …: eight bytes of a comm.
  private func name(of process: Int) -> UInt64 {
    let first: UInt64 = 0x2d72_6576_7265_73  // "server-", the last letter is to come
    return first | UInt64(UInt8(ascii: "a") + UInt8(truncatingIfNeeded: process % 26)) << 56
  }

  private static func store(
    _ name: UInt64, in bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) {
    bytes.storeBytes(of: name, toByteOffset: offset, as: UInt64.self)
    bytes.storeBytes(of: 0, toByteOffset: offset + 8, as: UInt64.self)
  }
}
