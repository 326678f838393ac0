// SPDX-License-Identifier: Apache-2.0

import Events

/// Evidence of operations that have not ended yet, bounded: an operation whose end is never seen
/// must not stay forever.
///
/// Most operations succeed, and then nobody looks at it: so it is kept as it comes, and decoded
/// where it is wanted.
struct PendingEvidence: Sendable {
  typealias Key = OperationKey

  /// The evidence of one operation.
  struct Evidence: Sendable {
    /// Records as they stood in a recording, one after the other, and before them events.
    fileprivate var bytes: [UInt8] = []
    fileprivate var decoded: [Event] = []
    fileprivate var records = 0
    /// Records over the limit of one operation, not kept.
    fileprivate(set) var dropped = 0

    /// Decodes what is kept.
    var events: [Event] {
      var events = decoded
      bytes.withUnsafeBytes { bytes in
        var offset = 0
        // Their sizes were checked when they came.
        while offset < bytes.count,
          let event = try? EventDecoder.decode(UnsafeRawBufferPointer(rebasing: bytes[offset...])),
          event.header.size > 0
        {
          events.append(event)
          offset += Int(event.header.size)
        }
      }
      return events
    }
  }

  /// One operation's evidence, in a list from the oldest operation to the youngest.
  private struct Slot: Sendable {
    var key = Key(tid: 0, operation: 0)
    var evidence = Evidence()
    var older = -1
    var younger = -1
  }

  /// Operations given up because too many were pending, and records of them.
  private(set) var abandonedOperations = 0
  private(set) var abandonedRecords = 0

  private let operationLimit: Int
  private let recordLimit: Int
  private var slots: [Slot] = []
  private var free: [Int] = []
  private var places = OperationKeyTable()
  private var oldest = -1
  private var youngest = -1

  /// A slot keeps its memory for the next operation, unless it is more than this.
  private static let sparedBytes = 16 * 1024

  init(operationLimit: Int, recordLimit: Int) {
    self.operationLimit = max(1, operationLimit)
    self.recordLimit = max(1, recordLimit)
  }

  var count: Int { places.count }

  /// Records of operations that have not ended.
  var records: Int {
    slots.reduce(0) { $0 + $1.evidence.records + $1.evidence.dropped }
  }

  /// Adds to the evidence that `key` has; false where it has none yet.
  mutating func append(_ record: RecordView, to key: Key) -> Bool {
    guard let place = places[key] else { return false }
    append(record, at: place)
    return true
  }

  mutating func append(_ event: Event, to key: Key) -> Bool {
    guard let place = places[key] else { return false }
    append(event, at: place)
    return true
  }

  /// Adds the first evidence of `key`.
  mutating func begin(_ record: RecordView, of key: Key) { append(record, at: begin(key)) }
  mutating func begin(_ event: Event, of key: Key) { append(event, at: begin(key)) }

  /// The evidence of an operation that has ended.
  mutating func take(_ key: Key) -> Evidence {
    guard let place = places.remove(key) else { return Evidence() }
    let evidence = slots[place].evidence
    release(place)
    return evidence
  }

  /// Forgets the evidence of an operation that has ended.
  mutating func drop(_ key: Key) {
    if let place = places.remove(key) { release(place) }
  }

  private mutating func append(_ record: RecordView, at place: Int) {
    guard hasRoom(at: place) else { return }
    slots[place].evidence.bytes.append(contentsOf: record.bytes)
  }

  private mutating func append(_ event: Event, at place: Int) {
    guard hasRoom(at: place) else { return }
    slots[place].evidence.decoded.append(event)
  }

  private mutating func hasRoom(at place: Int) -> Bool {
    guard slots[place].evidence.records < recordLimit else {
      slots[place].evidence.dropped += 1
      return false
    }
    slots[place].evidence.records += 1
    return true
  }

  private mutating func begin(_ key: Key) -> Int {
    while places.count >= operationLimit { abandonOldest() }
    let place: Int
    if let spare = free.popLast() {
      place = spare
    } else {
      place = slots.count
      slots.append(Slot())
    }
    places.insert(key, place: place)
    slots[place].key = key
    slots[place].older = youngest
    slots[place].younger = -1
    if youngest >= 0 { slots[youngest].younger = place } else { oldest = place }
    youngest = place
    return place
  }

  private mutating func release(_ place: Int) {
    let older = slots[place].older
    let younger = slots[place].younger
    if older >= 0 { slots[older].younger = younger } else { oldest = younger }
    if younger >= 0 { slots[younger].older = older } else { youngest = older }
    if slots[place].evidence.bytes.capacity <= Self.sparedBytes {
      slots[place].evidence.bytes.removeAll(keepingCapacity: true)
    } else {
      slots[place].evidence.bytes = []
    }
    if !slots[place].evidence.decoded.isEmpty { slots[place].evidence.decoded = [] }
    slots[place].evidence.records = 0
    slots[place].evidence.dropped = 0
    free.append(place)
  }

  private mutating func abandonOldest() {
    guard oldest >= 0 else { return }
    abandonedOperations += 1
    abandonedRecords += slots[oldest].evidence.records + slots[oldest].evidence.dropped
    drop(slots[oldest].key)
  }
}
