// SPDX-License-Identifier: Apache-2.0

/// The tracks of a trace, each described when it is first used.
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
    case process = 1
    case thread = 2
    case pages = 3
    case counter = 4
    case missing = 5
  }

  private var described: Set<UInt64> = []

  /// Unique in a trace: the kind, and a number that is unique in it.
  private static func uuid(_ kind: Kind, _ number: UInt64) -> UInt64 {
    kind.rawValue << 32 | number & 0xffff_ffff
  }

  mutating func process(_ pid: Int, name: String?, in trace: PerfettoTrace) -> UInt64 {
    let uuid = Self.uuid(.process, UInt64(truncatingIfNeeded: pid))
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
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
    let uuid = Self.uuid(.thread, UInt64(truncatingIfNeeded: tid))
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        $0.varint(Perfetto.Track.parent, parent)
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
    let uuid = Self.uuid(.pages, UInt64(truncatingIfNeeded: pid))
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        $0.varint(Perfetto.Track.parent, parent)
        $0.text(Perfetto.Track.name, "failing pages")
      }
    }
    return uuid
  }

  mutating func counter(_ counter: Counter, in trace: PerfettoTrace) -> UInt64 {
    let uuid = Self.uuid(.counter, counter.rawValue)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) {
        $0.text(Perfetto.Track.name, counter.name)
        $0.message(Perfetto.Track.counter) { $0.text(Perfetto.Counter.unitName, counter.unit) }
      }
    }
    return uuid
  }

  /// What the recording does not tell.
  mutating func missing(in trace: PerfettoTrace) -> UInt64 {
    let uuid = Self.uuid(.missing, 0)
    if described.insert(uuid).inserted {
      describe(uuid, in: trace) { $0.text(Perfetto.Track.name, "what is missing") }
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
