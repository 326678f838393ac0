// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Recording

/// One real operation's records, with the places that change from one repetition to the next.
struct Template {
  /// What a place in a record holds.
  enum Place {
    case time, operation, pid, tid, cpu, owner, comm, ownerComm, address, umem
  }

  struct Record {
    var bytes: [UInt8]
    var places: [(place: Place, offset: Int)]
  }

  let kind: UInt32
  let failed: Bool
  /// Run by a kernel worker, for a process that owns the memory.
  let isWorkers: Bool
  /// In order of time.
  let records: [Record]
  let startNs: UInt64
  let durationNs: UInt64

  /// nil for records without the one that ends an operation.
  init?(_ events: [Event]) {
    guard let last = events.lazy.compactMap(Self.operation).first else { return nil }
    kind = last.kind
    failed = last.result < 0
    isWorkers = last.has & MRT_HAS_OWNER != 0 && last.owner_pid != last.h.pid
    let isWorkers = isWorkers
    records = events.map { event in
      let bytes = event.encoded()
      return Record(
        bytes: bytes,
        places: Self.places(in: bytes, of: event.header.kind, umem: last.umem, isWorkers: isWorkers)
      )
    }
    let first = events.map(\.timeNs).min() ?? last.h.time_ns
    startNs = min(first, last.start_ns == 0 ? first : last.start_ns)
    durationNs = last.h.time_ns - min(startNs, last.h.time_ns)
  }

  private static func operation(_ event: Event) -> mrt_operation? {
    if case .operation(let record) = event { record } else { nil }
  }

  private static func places(
    in bytes: [UInt8], of kind: UInt32, umem: UInt64, isWorkers: Bool
  ) -> [(place: Place, offset: Int)] {
    var places: [(place: Place, offset: Int)] = [
      (.time, 0), (.operation, 16), (.pid, 24), (.tid, 28), (.cpu, 32),
    ]
    // 8-byte fields that may hold an address.
    let words: Range<Int>
    switch mrt_kind(rawValue: kind) {
    case MRT_KIND_OPERATION:
      places += [(.time, 40), isWorkers ? (.ownerComm, 152) : (.comm, 168)]
      if isWorkers { places.append((.owner, 140)) }
      words = 56..<96
    case MRT_KIND_UMEM:
      places.append((.owner, 96))
      words = 40..<72
    case MRT_KIND_LAYER: words = 48..<96
    case MRT_KIND_RANGE: words = 48..<64
    case MRT_KIND_WALK: words = 48..<80
    case MRT_KIND_MAPPING: words = 40..<96
    case MRT_KIND_LEVELS, MRT_KIND_ENTRIES, MRT_KIND_FAULT: words = 40..<48
    default: words = 0..<0
    }
    for offset in stride(from: words.lowerBound, to: words.upperBound, by: 8) {
      let word = bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      if word != 0, word == umem { places.append((.umem, offset)) }
      if Self.userAddresses.contains(word) { places.append((.address, offset)) }
    }
    return places
  }

  /// Where the kernel puts mappings.
  private static let userAddresses: Range<UInt64> = 0x7000_0000_0000..<0x7fff_ffff_f000
}

/// The operations of a real recording, and what stands in it beside them.
struct Templates {
  var operations: [Template] = []
  var symbols: [SymbolRecord] = []
  /// COUNTER and PAGES: totals at the end.
  var totals: [Event] = []

  init(_ reader: RecordingReader) {
    struct Key: Hashable {
      var tid: UInt32
      var operation: UInt64
    }
    var order: [Key] = []
    var events: [Key: [Event]] = [:]
    for event in reader.events() {
      let header = event.header
      if case .symbol(let symbol) = event {
        symbols.append(symbol)
      } else if header.operation == 0 {
        totals.append(event)
      } else {
        let key = Key(tid: header.tid, operation: header.operation)
        if events[key] == nil { order.append(key) }
        events[key, default: []].append(event)
      }
    }
    operations = order.compactMap { Template(events[$0] ?? []) }
  }
}
