// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording

/// A trace for ui.perfetto.dev and its trace processor.
///
/// A thread's operations are slices, and the functions inside them; the failing page is an instant
/// of the process that owns the memory, from which a flow goes to the call that failed.
package struct PerfettoExporter: Exporter {
  /// What is kept of one recording.
  private struct Source {
    let subject: ExportSubject
    var tracks: PerfettoTracks
    var counters = PerfettoCounters()
    var lastNs: UInt64 = 0
  }

  private let output: ByteOutput
  private var trace: PerfettoTrace
  private var sources: [Source] = []
  private var flows: UInt64 = 0

  package init(_ output: ByteOutput) {
    self.output = output
    trace = PerfettoTrace(output)
  }

  package mutating func begin(_ subjects: [ExportSubject]) throws(ExportError) {
    if subjects.count == 1 {
      alone(subjects[0].environment)
    } else {
      several(subjects[0].environment)
    }
    sources = subjects.map { subject in
      let environment = subject.environment
      let isOnlyOfHost =
        subjects.count { $0.environment.hostname == environment.hostname } == 1
      let group = "\(environment.hostname) (\(environment.kernelRelease))"
      return Source(
        subject: subject,
        tracks: PerfettoTracks(
          index: subject.index,
          group: subject.isAlone ? nil : isOnlyOfHost ? group : "\(group), \(subject.name)"))
    }
  }

  /// The machine's own clock, with the wall clock beside it.
  private func alone(_ environment: RecordingEnvironment) {
    trace.start(clock: Perfetto.Clock.monotonic)
    snapshot(Self.clocks(environment), primary: Perfetto.Clock.monotonic)
    trace.packet { packet in
      packet.message(Perfetto.Packet.systemInfo) { info in
        info.message(Perfetto.SystemInfo.utsname) {
          $0.text(Perfetto.Utsname.sysname, "Linux")
          $0.text(Perfetto.Utsname.version, environment.kernelVersion)
          $0.text(Perfetto.Utsname.release, environment.kernelRelease)
          $0.text(Perfetto.Utsname.machine, environment.machine)
        }
      }
    }
  }

  /// The only clock that several machines have in common is the wall clock.
  private func several(_ first: RecordingEnvironment) {
    trace.start(clock: Perfetto.Clock.realtime)
    snapshot(
      [(Perfetto.Clock.realtime, first.startWallNs)], primary: Perfetto.Clock.realtime)
  }

  private func snapshot(_ clocks: [(UInt64, UInt64)], primary: UInt64) {
    trace.packet { packet in
      packet.message(Perfetto.Packet.clockSnapshot) { snapshot in
        for (clock, time) in clocks {
          snapshot.message(Perfetto.ClockSnapshot.clocks) {
            $0.varint(Perfetto.ClockSnapshot.clockID, clock)
            $0.varint(Perfetto.ClockSnapshot.timestamp, time)
          }
        }
        snapshot.varint(Perfetto.ClockSnapshot.primary, primary)
      }
    }
  }

  /// Both clocks at the start of the recording; nothing where the numbers are broken.
  private static func clocks(_ environment: RecordingEnvironment) -> [(UInt64, UInt64)] {
    guard let wall = Int64(exactly: environment.startWallNs) else { return [] }
    let (monotonic, overflow) = wall.subtractingReportingOverflow(environment.clockOffsetNs)
    guard !overflow, monotonic >= 0 else { return [] }
    return [
      (Perfetto.Clock.realtime, environment.startWallNs),
      (Perfetto.Clock.monotonic, UInt64(monotonic)),
    ]
  }

  package mutating func add(_ event: Event, of subject: ExportSubject) throws(ExportError) {
    let index = subject.index
    sources[index].lastNs = max(sources[index].lastNs, event.timeNs)
    let points = sources[index].counters.add(event)
    if !points.isEmpty {
      shift(to: subject)
      for point in points { add(point, index) }
    }
    try output.flushIfFull()
  }

  package mutating func finish(_ totals: [ExportTotals]) throws(ExportError) {
    for (index, totals) in totals.enumerated() {
      shift(to: sources[index].subject)
      for point in sources[index].counters.finish() { add(point, index) }
      for loss in totals.missing { add(loss, index) }
    }
    try output.flush()
  }

  /// Times that follow are those of `subject`.
  private mutating func shift(to subject: ExportSubject) {
    trace.shiftNs = subject.isAlone ? 0 : subject.environment.clockOffsetNs
  }

  private mutating func add(_ loss: Loss, _ index: Int) {
    let track = sources[index].tracks.missing(in: trace)
    var event = PerfettoTrace.Event(.instant, loss.what, at: sources[index].lastNs, on: track)
    event.categories = ["loss"]
    event.annotations = [
      ("function", loss.function.map { .name($0) }), ("count", loss.count.map { .number($0) }),
      ("sentence", loss.sentence.map { .text($0) }),
    ]
    trace.add(event)
  }

  private mutating func add(_ point: PerfettoCounters.Point, _ index: Int) {
    let track = sources[index].tracks.counter(point.counter, in: trace)
    var event = PerfettoTrace.Event(.counter, at: point.timeNs, on: track)
    event.counter = Int64(clamping: point.value)
    trace.add(event)
  }

  package mutating func add(_ exported: ExportedOperation) throws(ExportError) {
    shift(to: exported.subject)
    let operation = exported.operation
    let runner = operation.runner
    let ownsMemory = operation.ownerPID == runner.pid
    let track = sources[exported.subject.index].tracks.thread(
      runner.tid, of: runner.pid, name: runner.comm,
      processName: ownsMemory ? operation.ownerComm : runner.comm, in: trace)

    let end = operation.endNs
    let start = operation.startNs.flatMap { $0 <= end ? $0 : nil }
    let trees = LayerTree.trees(of: operation, in: (start ?? 0)...end)
    let from = start ?? trees.first?.sinceNs ?? end
    let flow = addPage(of: exported, at: trees.last?.deepest.timeNs, in: from...end)

    let name = exported.errno.map { "\(operation.kind.rawValue) \($0)" } ?? operation.kind.rawValue
    let type: Perfetto.EventType = from < end ? .begin : .instant
    var event = PerfettoTrace.Event(type, name, at: from, on: track)
    event.categories = operation.failed ? ["operation", "failure"] : ["operation"]
    event.annotations = Self.annotations(exported, startIsKnown: start != nil)
    if type == .instant { event.terminatingFlow = flow }
    trace.add(event)
    for tree in trees { add(tree, on: track) }
    if type == .begin {
      var event = PerfettoTrace.Event(.end, at: end, on: track)
      event.terminatingFlow = flow
      trace.add(event)
    }
    try output.flushIfFull()
  }

  private mutating func add(_ tree: LayerTree, on track: UInt64) {
    let layer = tree.layer
    let type: Perfetto.EventType = tree.sinceNs < tree.endNs ? .begin : .instant
    var event = PerfettoTrace.Event(type, layer.sliceName, at: tree.sinceNs, on: track)
    event.categories = [layer.category]
    event.annotations = [
      ("result", layer.resultText.map { .name($0) } ?? layer.result.map { .signed($0) }),
      ("start", layer.start.map { .pointer($0) }), ("end", layer.end.map { .pointer($0) }),
      ("seen by", layer.rung.map { .name($0.rawValue) }),
      ("called", type == .begin ? .name("not recorded: not later than here") : nil),
    ]
    if type == .instant {
      for inner in tree.inner { add(inner, on: track) }
      trace.add(event)
      return
    }
    trace.add(event)
    for inner in tree.inner { add(inner, on: track) }
    trace.add(PerfettoTrace.Event(.end, at: tree.endNs, on: track))
  }

  /// The failing page, where it is known; returns the flow that begins there.
  private mutating func addPage(
    of exported: ExportedOperation, at time: UInt64?, in bounds: ClosedRange<UInt64>
  ) -> UInt64? {
    guard let diagnosis = exported.diagnosis, let page = diagnosis.page else { return nil }
    let operation = exported.operation
    let track = sources[exported.subject.index].tracks.pages(
      of: operation.ownerPID ?? operation.runner.pid, name: operation.ownerComm, in: trace)
    flows += 1
    let at = min(max(time ?? bounds.upperBound, bounds.lowerBound), bounds.upperBound)
    let flags = page.flags.isEmpty ? "no flag" : page.flags.joined(separator: " ")
    let level = page.level.map { "\($0.uppercased()) " } ?? ""
    var event = PerfettoTrace.Event(
      .instant, page.raw == nil ? "page without an entry" : level + flags, at: at, on: track)
    event.categories = ["page"]
    event.flow = flows
    let mapping = exported.mapping
    event.annotations = [
      ("address", .pointer(page.address)), ("level", page.level.map { .name($0) }),
      ("raw", page.raw.map { .pointer($0) }),
      ("flags", page.raw == nil ? nil : .texts(page.flags)),
      ("decided by", diagnosis.chain.first.map { .name($0.function) }),
      ("seen", diagnosis.chain.first.map { .name($0.seen.rawValue) }),
      ("cause", .name(diagnosis.cause)), ("confidence", .name(diagnosis.confidence.rawValue)),
      ("file", mapping?.file.map { .text($0.path) }),
      ("file offset", diagnosis.fileOffset.map { .number($0) }),
      ("mapping start", mapping.map { .pointer($0.start) }),
      ("mapping end", mapping.map { .pointer($0.end) }),
      ("mapping flags", mapping.map { .texts(VMAFlags.names($0.vmFlags, of: diagnosis.kernel)) }),
    ]
    trace.add(event)
    return flows
  }

  private static func annotations(
    _ exported: ExportedOperation, startIsKnown: Bool
  ) -> [(name: String, value: PerfettoTrace.Value?)] {
    let operation = exported.operation
    let diagnosis = exported.diagnosis
    return [
      ("operation", .name(operation.kind.rawValue)),
      ("result", .signed(operation.result)),
      ("errno", exported.errno.map { .name($0) }),
      ("function", exported.function.map { .name($0) }),
      ("address", exported.address.map { .pointer($0) }),
      ("cause", diagnosis.map { .name($0.cause) }),
      ("confidence", diagnosis.map { .name($0.confidence.rawValue) }),
      ("delivered", (diagnosis?.delivered).map { .name($0.rawValue) }),
      ("summary", diagnosis.map { .text($0.summary) }),
      ("mended by", operation.recoveredBy.map { .name($0) }),
      ("followed by", operation.followedBy.map { .text($0) }),
      ("owner", operation.ownerPID.map { .signed(Int64($0)) }),
      ("owner in its container", operation.owner?.containerPID.map { .signed(Int64($0)) }),
      ("cgroup", operation.owner?.cgroupPath.map { .name($0) }),
      ("device", operation.device.map { .name($0) }),
      ("mr address", operation.mr.address.map { .pointer($0) }),
      ("mr length", operation.mr.length.map { .number($0) }),
      ("mr access", operation.mr.access.map { .texts(AccessFlags.names($0)) }),
      ("request address", operation.request.map { .pointer($0.start) }),
      ("request length", operation.request.map { .number($0.length) }),
      ("repeats after (ns)", operation.repeatsAfterNs.map { .number($0) }),
      ("records lost", operation.lost > 0 ? .signed(Int64(operation.lost)) : nil),
      ("start recorded", .flag(startIsKnown)),
      ("kind seen", operation.kindSeen ? nil : .flag(false)),
    ]
  }
}

extension Layer {
  /// 7.3 faults pages in after the walk, in the function that walked.
  fileprivate var sliceName: String {
    kind == .walk && function == "hmm_range_fault_locked" ? "\(function), fault phase" : function
  }

  fileprivate var category: String {
    switch kind {
    case .layer: "umem"
    case .range: "hmm"
    case .walk: "walk"
    case .fault: "fault"
    }
  }
}
