// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Kernel
import Recording

/// Receives every record that a pump takes from the ring.
package protocol RecordObserver: AnyObject {
  func add(_ record: UnsafeRawBufferPointer)
}

/// Ring to file, or to the flight recorder: every record into the stream of its CPU, names for the
/// stacks beside them.
package struct RecordPump: ~Copyable {
  private let target: RecordTarget
  private let sink: any RecordingSink
  private var names = StackNames()
  private var groups = GroupNames()
  package private(set) var records: UInt64 = 0
  package private(set) var tally = ReceivedRecords()
  private var operations: UInt64 = 0
  private var failures: UInt64 = 0
  /// What ended the recording: nothing more is written.
  package private(set) var failure: RecordingError?

  /// Gets every record as well: the screen beside it.
  package var observer: (any RecordObserver)?

  /// What the flight recorder waits for.
  package private(set) var trigger = FailureTrigger()

  package init(_ target: RecordTarget) {
    self.target = target
    sink = target.sink
  }

  /// `also` gets every record, whatever becomes of the recording.
  package mutating func drain(
    _ ring: borrowing RingReader, also: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) {
    let isBounded = if case .parts = target { true } else { false }
    ring.drainWhile { bytes in
      guard let record = RecordLayout.record(in: bytes) else { return true }
      let header = record.loadUnaligned(as: mrt_header.self)
      also?(record)
      guard failure == nil else { return true }
      tally.count(header.hook, written: append(record, cpu: Int(header.cpu)))
      note(record, header)
      observer?.add(record)
      return !isBounded || !isFull
    }
  }

  /// A part is as large as it may become: ``beginPart(totals:now:)``, and go on.
  package var isFull: Bool {
    guard case .parts(let writer) = target else { return false }
    return writer.isFull && failure == nil
  }

  package mutating func flush(now: UInt64) {
    guard failure == nil else { return }
    do throws(RecordingError) { try sink.flush(now: now) } catch { failure = error }
  }

  /// Has the packets tell what found no room in the kernel: `lost` is by CPU, since the start.
  package mutating func lost(_ lost: [UInt64]) {
    for (cpu, count) in lost.enumerated() {
      let new = tally.newlyLost(cpu: cpu, total: count)
      if new > 0 { sink.discarded(new, cpu: cpu) }
    }
  }

  package mutating func tell(_ events: [Event]) {
    for event in events where failure == nil {
      do throws(RecordingError) { try Self.append(event, to: sink) } catch { failure = error }
    }
  }

  /// The stream of what the agent tells while it records, beyond those of the CPUs.
  ///
  /// In a stream time does not go back, and records of the kernel may still wait in the ring buffer that are older: behind
  /// a later record they would be moved to its time.
  private static let ownStream = max(1, sysconf(CInt(_SC_NPROCESSORS_CONF)))

  private static func append(
    _ event: Event, to sink: any RecordingSink
  ) throws(RecordingError) {
    let record = event.encoded()
    let result = record.withUnsafeBytes { bytes in
      Result { () throws(RecordingError) in try sink.append(bytes, cpu: ownStream) }
    }
    _ = try result.get()
  }

  /// Ends the part with `totals`, the whole run's so far, and begins the next.
  package mutating func beginPart(totals: [Event], now: UInt64) {
    guard failure == nil, case .parts(let writer) = target else { return }
    do throws(RecordingError) {
      for event in names.kernelSymbols(timeNs: now) + totals {
        try Self.append(event, to: writer)
      }
      try writer.rotate(now: now)
      names.beginPart()
      groups.beginPart()
    } catch {
      failure = error
    }
  }

  /// Writes what waits: to the recording, or, with `totals`, a part of the flight recorder, whose
  /// path is returned. That this fails does not end the recording.
  package mutating func write(
    _ reason: RecordingEnvironment.PartEnd, totals: () -> [Event], now: UInt64
  ) throws(RecordingError) -> String? {
    guard failure == nil else { return nil }
    switch target {
    case .whole, .parts:
      do throws(RecordingError) { try sink.flushAll() } catch { failure = error }
      return nil
    case .memory(let recorder):
      trigger.written(at: now)
      return try recorder.write(reason, now: now, totals: totals()) { stacks in
        names.symbols(of: stacks, timeNs: now) + groups.all(timeNs: now)
      }
    }
  }

  /// Before the programs are stopped: names what is in stacks and goes with them.
  package mutating func nameKernel() {
    // the flight recorder names what it writes
    if case .memory = target { return }
    names.nameKernel()
  }

  package mutating func close(totals: [Event], now: UInt64) {
    guard failure == nil else { return }
    do throws(RecordingError) {
      switch target {
      case .memory: _ = try write(.end, totals: { totals }, now: now)
      case .whole(let writer):
        for event in names.kernelSymbols(timeNs: now) + totals { try writer.append(event) }
        try writer.close(now: now)
      case .parts(let writer):
        for event in names.kernelSymbols(timeNs: now) + totals { try writer.append(event) }
        try writer.close(now: now)
      }
    } catch {
      failure = error
    }
  }

  /// Notices that the directory has gone.
  package mutating func checkPlace() {
    guard failure == nil else { return }
    do throws(RecordingError) { try sink.checkPlace() } catch { failure = error }
  }

  /// The hook plan has changed.
  package mutating func update(_ environment: RecordingEnvironment) {
    guard failure == nil else { return }
    do throws(RecordingError) { try sink.update(environment) } catch { failure = error }
  }

  package func progress(elapsedNs: UInt64) -> String {
    "\(elapsedNs / 1_000_000_000) s, \(operations) operations, \(failures) failed"
  }

  private mutating func append(_ record: UnsafeRawBufferPointer, cpu: Int) -> Bool {
    do throws(RecordingError) {
      guard try sink.append(record, cpu: cpu) else { return false }
      records += 1
      return true
    } catch {
      failure = error
      return false
    }
  }

  private mutating func note(_ record: UnsafeRawBufferPointer, _ header: mrt_header) {
    switch header.kind {
    case MRT_KIND_OPERATION.rawValue where record.count >= MemoryLayout<mrt_operation>.size:
      operations += 1
      if record.loadUnaligned(as: mrt_operation.self).result < 0 {
        failures += 1
        trigger.failed(at: header.time_ns)
      }
    case MRT_KIND_STACK.rawValue:
      guard case .stack(let stack)? = try? EventDecoder.decode(record) else { return }
      let events = names.learn(stack, timeNs: header.time_ns)
      // The flight recorder asks for the names of what it writes.
      if case .memory = target { return }
      tell(events)
    case MRT_KIND_OWNER.rawValue where record.count >= MemoryLayout<mrt_owner>.size:
      let event = groups.learn(record.loadUnaligned(as: mrt_owner.self))
      if case .memory = target { return }
      if let event { tell([event]) }
    case MRT_KIND_REFUSAL.rawValue where record.count >= MemoryLayout<mrt_refusal>.size:
      let refusal = record.loadUnaligned(as: mrt_refusal.self)
      let event = groups.learn(refusal.cgroup, metBy: header.pid, timeNs: header.time_ns)
      if case .memory = target { return }
      if let event { tell([event]) }
    default: break
    }
  }
}
