// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Kernel
import Recording

/// Ring to file: every record into the stream of its CPU, names for the stacks beside them.
struct RecordPump {
  private let writer: RecordingWriter
  private var names = StackNames()
  private(set) var records: UInt64 = 0
  private(set) var tally = ReceivedRecords()
  private var operations: UInt64 = 0
  private var failures: UInt64 = 0
  /// What ended the recording: nothing more is written.
  private(set) var failure: RecordingError?

  init(writer: RecordingWriter) { self.writer = writer }

  mutating func drain(_ ring: borrowing RingReader) {
    // the kernel's reservation may be longer than the record: `size` says how much is meant
    ring.drain { bytes in
      guard failure == nil, bytes.count >= MemoryLayout<mrt_header>.size else { return }
      let header = bytes.loadUnaligned(as: mrt_header.self)
      guard Int(header.size) <= bytes.count else { return }
      let record = UnsafeRawBufferPointer(rebasing: bytes[..<Int(header.size)])
      tally.count(header.hook, written: append(record, cpu: Int(header.cpu)))
      note(record, header)
    }
  }

  mutating func flush(now: UInt64) {
    guard failure == nil else { return }
    do throws(RecordingError) { try writer.flush(now: now) } catch { failure = error }
  }

  /// Has the packets tell what found no room in the kernel: `lost` is by CPU, since the start.
  mutating func lost(_ lost: [UInt64]) {
    for (cpu, count) in lost.enumerated() {
      let new = tally.newlyLost(cpu: cpu, total: count)
      if new > 0 { writer.discarded(new, cpu: cpu) }
    }
  }

  mutating func tell(_ events: [Event]) {
    for event in events where failure == nil {
      do throws(RecordingError) { try writer.append(event) } catch { failure = error }
    }
  }

  mutating func close(totals: [Event], now: UInt64) {
    guard failure == nil else { return }
    do throws(RecordingError) {
      for event in names.kernelSymbols(timeNs: now) { try writer.append(event) }
      for event in totals { try writer.append(event) }
      try writer.close(now: now)
    } catch {
      failure = error
    }
  }

  /// The hook plan has changed.
  mutating func update(_ environment: RecordingEnvironment) {
    guard failure == nil else { return }
    do throws(RecordingError) { try writer.update(environment) } catch { failure = error }
  }

  func progress(elapsedNs: UInt64) -> String {
    "\(elapsedNs / 1_000_000_000) s, \(operations) operations, \(failures) failed"
  }

  private mutating func append(_ record: UnsafeRawBufferPointer, cpu: Int) -> Bool {
    do throws(RecordingError) {
      guard try writer.append(record, cpu: cpu) else { return false }
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
      if record.loadUnaligned(as: mrt_operation.self).result < 0 { failures += 1 }
    case MRT_KIND_STACK.rawValue:
      guard case .stack(let stack)? = try? EventDecoder.decode(record) else { return }
      for event in names.learn(stack, timeNs: header.time_ns) where failure == nil {
        do throws(RecordingError) { try writer.append(event) } catch { failure = error }
      }
    default: break
    }
  }
}
