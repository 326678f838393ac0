// SPDX-License-Identifier: Apache-2.0

/// The tracks of a recording, each described when it is first used.
struct PerfettoTracks {
  enum Counter: UInt64, CaseIterable {
    case operations, failures, records, lost, missed

    var name: String {
      switch self {
      case .operations: "operations"
      case .failures: "failed operations"
      case .records: "records"
      case .lost: "records lost"
      case .missed: "runs missed"
      }
    }

    var unit: String {
      switch self {
      case .operations, .failures, .records: "1/s"
      case .lost: "records"
      case .missed: "runs"
      }
    }
  }

  private enum Kind: UInt64 {
    case group = 0
    case process = 1
    case thread = 2
    case pages = 3
    case counter = 4
    case missing = 5
  }

  private var described: Set<UInt64> = []
  private let index: UInt64
  /// The name of the group that holds the tracks of one of several recordings. Its processes are
  /// tracks with a name only: Perfetto would take those of the same number on two hosts for one.
  private let group: String?

  init(index: Int, group: String?) {
    self.index = UInt64(index)
    self.group = group
  }

  /// Unique in a trace: the recording, the kind, and a number that is unique in it.
  private func uuid(_ kind: Kind, _ number: UInt64) -> UInt64 {
    index << 40 | kind.rawValue << 32 | number & 0xffff_ffff
  }

  private mutating func parent(in trace: PerfettoTrace) -> UInt64? {
    guard let group else { return nil }
    // 0 is the trace itself.
    let uuid = self.uuid(.group, 1)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) { $0.text(Perfetto.Track.name, group) }
    }
    return uuid
  }

  mutating func process(_ pid: Int, name: String?, in trace: PerfettoTrace) -> UInt64 {
    let uuid = self.uuid(.process, UInt64(truncatingIfNeeded: pid))
    let parent = parent(in: trace)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        if let parent {
          $0.varint(Perfetto.Track.parent, parent)
          $0.text(Perfetto.Track.name, "\(name ?? "process") \(pid)")
          return
        }
        $0.message(Perfetto.Track.process) {
          $0.signed(Perfetto.Process.pid, Int64(pid))
          if let name { $0.text(Perfetto.Process.name, name) }
        }
      }
    }
    return uuid
  }

  mutating func thread(
    _ tid: Int, of pid: Int, name: String, processName: String?, in trace: PerfettoTrace
  ) -> UInt64 {
    let parent = process(pid, name: processName, in: trace)
    let isGrouped = group != nil
    let uuid = self.uuid(.thread, UInt64(truncatingIfNeeded: tid))
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        $0.varint(Perfetto.Track.parent, parent)
        if isGrouped { return $0.text(Perfetto.Track.name, "\(name) \(tid)") }
        $0.message(Perfetto.Track.thread) {
          $0.signed(Perfetto.Thread.pid, Int64(pid))
          $0.signed(Perfetto.Thread.tid, Int64(tid))
          $0.text(Perfetto.Thread.name, name)
        }
      }
    }
    return uuid
  }

  /// The failing pages of a process.
  mutating func pages(of pid: Int, name: String?, in trace: PerfettoTrace) -> UInt64 {
    let parent = process(pid, name: name, in: trace)
    let uuid = self.uuid(.pages, UInt64(truncatingIfNeeded: pid))
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        $0.varint(Perfetto.Track.parent, parent)
        $0.text(Perfetto.Track.name, "failing pages")
      }
    }
    return uuid
  }

  mutating func counter(_ counter: Counter, in trace: PerfettoTrace) -> UInt64 {
    let parent = parent(in: trace)
    let uuid = self.uuid(.counter, counter.rawValue)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        if let parent { $0.varint(Perfetto.Track.parent, parent) }
        $0.text(Perfetto.Track.name, counter.name)
        $0.message(Perfetto.Track.counter) { $0.text(Perfetto.Counter.unitName, counter.unit) }
      }
    }
    return uuid
  }

  /// What the recording does not tell.
  mutating func missing(in trace: PerfettoTrace) -> UInt64 {
    let parent = parent(in: trace)
    let uuid = self.uuid(.missing, 0)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        if let parent { $0.varint(Perfetto.Track.parent, parent) }
        $0.text(Perfetto.Track.name, "what is missing")
      }
    }
    return uuid
  }

  private func describe(
    _ uuid: UInt64, in trace: PerfettoTrace, _ fill: (inout ProtobufMessage) -> Void
  ) {
    trace.packet { packet in
      packet.message(Perfetto.Packet.trackDescriptor) {
        $0.varint(Perfetto.Track.uuid, uuid)
        fill(&$0)
      }
    }
  }
}
