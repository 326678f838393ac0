// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// A recording's records as another, worse recording would have them: what a full ring buffer, skipped programs and
/// broken files do to them. Each time the same for the same seed.
struct Tampering {
  private(set) var events: [Event]
  /// What was done, for the message of a test that fails.
  private(set) var notes: [String] = []
  /// Operations that end elsewhere now: by their new end, the end of the one that they are.
  private(set) var moved: [OperationEnd: OperationEnd] = [:]
  private var state: UInt64

  init(_ events: [Event], seed: UInt64) {
    self.events = events
    state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  }

  /// xorshift64*
  private mutating func random(_ bound: Int) -> Int {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return bound < 1 ? 0 : Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
  }

  private mutating func chance(_ percent: Int) -> Bool { random(100) < percent }

  /// One to three things.
  mutating func tamper() {
    for _ in 0...random(3) {
      switch random(7) {
      case 0, 1: lose()
      case 2, 3: missRuns()
      case 4: if chance(60) { stitch() } else { missEntry() }
      case 5: duplicate()
      default: reorder()
      }
    }
  }

  // MARK: the ring buffer was full

  /// Records found no room: each counts in its operation's record.
  mutating func lose() {
    let percent = [1, 5, 20, 60][random(4)]
    var lost: [NumberedTask: UInt32] = [:]
    var kept: [Event] = []
    for event in events {
      let header = event.header
      guard header.operation != 0, chance(percent) else {
        kept.append(event)
        continue
      }
      // Without its end an operation is not told at all.
      if case .operation = event, chance(70) {
        kept.append(event)
        continue
      }
      lost[header.key, default: 0] += 1
    }
    events = kept.map { event in
      guard case .operation(var record) = event, let count = lost[record.h.key] else {
        return event
      }
      record.lost += count
      return .operation(record)
    }
    notes.append("lost \(percent) %")
  }

  // MARK: the kernel skipped programs

  /// The runs of one hook for a while, counted in its account.
  mutating func missRuns() {
    let hooks = Set(
      events.filter(\.isEvidence).map(\.header.hook).filter { $0 != MRT_HOOK_NONE.rawValue }
    ).sorted()
    guard !hooks.isEmpty else { return }
    missRuns(of: hooks[random(hooks.count)])
  }

  private mutating func missRuns(of hook: UInt32) {
    let times = events.filter { $0.header.operation != 0 }.map(\.timeNs)
    guard let first = times.min(), let last = times.max() else { return }
    let span = Int(last - first)
    let from = first + UInt64(random(span + 1))
    let to = chance(30) ? last : from + UInt64(random(span / [1, 10, 100][random(3)] + 1))
    // A range's program sends what the callbacks met.
    let isRange = [40, 41, 42].contains(hook)
    var met: Set<NumberedTask> = []
    if isRange {
      met = Set(
        events.filter { $0.header.hook == hook && from <= $0.timeNs && $0.timeNs <= to }
          .map(\.header.key))
    }
    events.removeAll { event in
      let header = event.header
      guard event.isEvidence, from <= header.time_ns, header.time_ns <= to else { return false }
      if header.hook == hook { return true }
      return met.contains(header.key) && event.isMet
    }
    miss(hook, from: from, to: to)
    notes.append("missed hook \(hook) from \(from) to \(to)")
  }

  /// Says so in the hook's accounts.
  private mutating func miss(_ hook: UInt32, from: UInt64, to: UInt64) {
    var before: UInt64 = 0
    events = events.map { event in
      guard case .account(var record) = event, record.h.hook == hook else { return event }
      if record.h.time_ns <= to {
        before = max(before, record.missed)
      } else {
        record.missed += 1
      }
      return .account(record)
    }
    var account = mrt_account()
    account.missed = before + 1
    account.missed_entries = before + 1
    account.since_ns = from
    let place = events.firstIndex { $0.timeNs > to } ?? events.endIndex
    events.insert(.account(account, hook: hook, timeNs: to), at: place)
  }

  /// The program that ends a verb was skipped, and so was the one that begins the next: what both sent is of one
  /// operation, which begins with the first and ends with the last.
  mutating func stitch() {
    var ends = events.compactMap { event -> mrt_operation? in
      guard case .operation(let record) = event, record.kind <= MRT_OP_ADVISE_MR.rawValue else {
        return nil
      }
      return record
    }
    ends.sort { $0.h.time_ns < $1.h.time_ns }
    guard !ends.isEmpty else { return }
    let first = ends[random(ends.count)]
    let next = ends.filter {
      $0.h.tid == first.h.tid && $0.h.hook == first.h.hook && $0.h.time_ns > first.h.time_ns
        && $0.has & MRT_HAS_REPEATED == 0
    }
    guard first.has & MRT_HAS_REPEATED == 0, !next.isEmpty else { return }
    let last = next[min(random(3), next.count - 1)]
    let between = next.filter { $0.h.time_ns <= last.h.time_ns }
    let others = Set(between.map(\.h.key))
    // What a program sends it sends whole, or did not run.
    let hooks = Set(
      events.filter { others.contains($0.header.key) && $0.isEvidence }.map(\.header.hook)
    ).subtracting([first.h.hook]).sorted()
    var missed: Set<UInt32> = []
    for hook in hooks where chance([0, 30, 70][random(3)]) { missed.insert(hook) }
    let isGarbled = chance(30)
    var umem = first.umem
    for one in between where one.umem != 0 { umem = one.umem }
    var kept: [Event] = []
    for event in events {
      let header = event.header
      if case .operation(var record) = event {
        if record.h.key == first.h.key || others.contains(record.h.key) {
          guard record.h.key == last.h.key else { continue }
          record.h.operation = first.h.operation
          record.start_ns = first.start_ns
          record.umem = umem
          record.lost += first.lost
          if isGarbled { garble(&record) }
          kept.append(.operation(record))
          continue
        }
      }
      guard others.contains(header.key) || header.key == first.h.key else {
        kept.append(event)
        continue
      }
      // What the program at the end sends, and stacks, of which the first is kept.
      let isOfEnd = header.hook == first.h.hook && header.key != last.h.key
      if isOfEnd || event.isStack && header.key != first.h.key { continue }
      if event.isEvidence, others.contains(header.key), missed.contains(header.hook) { continue }
      kept.append(event.of(first.h.operation))
    }
    events = kept
    miss(first.h.hook, from: first.h.time_ns &- 1, to: last.h.time_ns &- 1)
    for hook in missed.sorted() { miss(hook, from: first.start_ns, to: last.h.time_ns) }
    notes.append(
      "stitched operations of thread \(first.h.tid) from \(first.h.operation) to that which ended at \(last.h.time_ns)"
    )
  }

  /// Its arguments are read from where those of the first call were, which may be anything by then.
  private mutating func garble(_ record: inout mrt_operation) {
    let words: [UInt64] = [
      0, 1, 8, 0x43, 0x1000, 0x7fff_0000_1000, 0xffff_8880_0123_4567, .max,
    ]
    let start = random(words.count)
    var next = 0
    func word() -> UInt64 {
      next += 1
      return words[(start + next * next) % words.count]
    }
    record.mr_address = word()
    record.mr_length = word()
    record.mr_iova = word()
    record.request_address = word()
    record.request_length = word()
    record.access = UInt32(truncatingIfNeeded: word())
    record.advice = UInt32(random(4))
    record.advise_flags = UInt32(random(3))
    record.num_sge = UInt32(random(3))
    record.lkey = UInt32(truncatingIfNeeded: word())
    record.device_caps = UInt32(random(8))
    record.driver_ops = UInt32(random(2))
  }

  /// The program that begins a verb or a worker was skipped: what it maps looks like a page fault.
  mutating func missEntry() {
    let ends = events.compactMap { event -> mrt_operation? in
      guard case .operation(let record) = event,
        [MRT_OP_ADVISE_MR.rawValue, MRT_OP_PREFETCH.rawValue].contains(record.kind),
        record.has & MRT_HAS_REPEATED == 0
      else { return nil }
      return record
    }
    guard !ends.isEmpty else { return }
    let end = ends[random(ends.count)]
    let withStack = chance(50)
    notes.append("missed the beginning of what ended at \(end.h.time_ns)")
    if end.kind == MRT_OP_PREFETCH.rawValue {
      events = events.compactMap { event in
        if case .operation(var record) = event, record.h.key == end.h.key {
          record.kind = MRT_OP_PAGE_FAULT.rawValue
          return .operation(record)
        }
        return event.header.key == end.h.key && event.isStack && !withStack ? nil : event
      }
      miss(MRT_HOOK_RXE_PREFETCH_WORK.rawValue, from: end.start_ns &- 1000, to: end.start_ns &- 1)
      return
    }
    let own = events.filter { $0.header.key == end.h.key }
    guard
      let map = own.lazy.compactMap({ event -> mrt_layer? in
        guard case .layer(let record) = event, record.h.hook == MRT_HOOK_ODP_MAP.rawValue else {
          return nil
        }
        return record
      }).last, map.result < 0
    else { return }
    let id = end.start_ns + 1
    let until =
      own.map(\.timeNs).filter { $0 >= map.h.time_ns }.sorted().dropFirst().first ?? map.h.time_ns
    var fault = end
    fault.h.hook = MRT_HOOK_ODP_MAP.rawValue
    fault.h.operation = id
    fault.h.time_ns = until + 1
    fault.start_ns = id
    fault.kind = MRT_OP_PAGE_FAULT.rawValue
    fault.result = map.result
    fault.umem = map.arguments.0
    fault.request_address = map.arguments.1
    fault.request_length = map.arguments.2
    fault.advice = 0
    fault.has &= ~(MRT_HAS_ADVICE | MRT_HAS_LKEY | MRT_HAS_CAPS | MRT_HAS_DRIVER_OPS)
    fault.has |= MRT_HAS_REQUEST
    var kept: [Event] = []
    for event in events {
      guard event.header.key == end.h.key else {
        kept.append(event)
        continue
      }
      if case .operation = event {
        kept.append(.operation(fault))
      } else if event.timeNs <= until, !event.isStack || withStack {
        kept.append(event.of(id))
      }
    }
    events = kept
    moved[OperationEnd(tid: end.h.tid, timeNs: until + 1)] = OperationEnd(
      tid: end.h.tid, timeNs: end.h.time_ns)
    miss(end.h.hook, from: end.start_ns &- 1000, to: end.start_ns &- 1)
  }

  // MARK: broken files

  mutating func duplicate() {
    for _ in 0...random(8) {
      let index = random(events.count)
      let place = min(events.count, index + 1 + random([2, 20, 200][random(3)]))
      events.insert(events[index], at: place)
    }
    notes.append("doubled")
  }

  mutating func reorder() {
    let size = [3, 20, 200][random(3)]
    for _ in 0...random(5) {
      let from = random(events.count)
      let to = min(events.count, from + size)
      for index in from..<to where index + 1 < to {
        events.swapAt(index, index + random(to - index))
      }
    }
    notes.append("shuffled by \(size)")
  }
}

struct OperationEnd: Hashable, CustomStringConvertible {
  var tid: UInt32
  var timeNs: UInt64
  var description: String { "thread \(tid) at \(timeNs)" }
}

struct NumberedTask: Hashable {
  var tid: UInt32
  var operation: UInt64
}

extension mrt_header {
  fileprivate var key: NumberedTask { NumberedTask(tid: tid, operation: operation) }
}

extension Event {
  var isStack: Bool { if case .stack = self { true } else { false } }

  /// Sent by the range's program for a callback.
  fileprivate var isMet: Bool {
    switch self {
    case .mapping, .levels: true
    case .entries(let record): record.search == UInt32(MRT_ENTRIES_FAULTED)
    default: false
    }
  }

  fileprivate var isEvidence: Bool {
    switch self {
    case .umem, .layer, .range, .walk, .levels, .entries, .mapping, .fault: header.operation != 0
    default: false
    }
  }

  /// With another operation's number.
  fileprivate func of(_ operation: UInt64) -> Event {
    switch self {
    case .umem(var record):
      record.h.operation = operation
      return .umem(record)
    case .layer(var record):
      record.h.operation = operation
      return .layer(record)
    case .range(var record):
      record.h.operation = operation
      return .range(record)
    case .walk(var record):
      record.h.operation = operation
      return .walk(record)
    case .levels(var record):
      record.h.operation = operation
      return .levels(record)
    case .fault(var record):
      record.h.operation = operation
      return .fault(record)
    case .owner(var record):
      record.h.operation = operation
      return .owner(record)
    case .entries(var record):
      record.header.operation = operation
      return .entries(record)
    case .mapping(var record):
      record.header.operation = operation
      return .mapping(record)
    case .stack(var record):
      record.header.operation = operation
      return .stack(record)
    default: return self
    }
  }
}
