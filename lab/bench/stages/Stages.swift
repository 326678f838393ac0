// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Glibc
import Model
import Operations
import Recording

/// One step of the agent's work by itself, over and over.
///
///     stages views|decode|correlate|diagnose RECORDING
///     stages write|copy RECORDING OUTPUT          into a new recording; the same bytes with write() alone
///     stages drain SELFTEST.bpf.o EVENTS          out of a real ring buffer, and no further
///     stages ring SELFTEST.bpf.o EVENTS RECORDING OUTPUT    into a recording as that one
///
/// Prints one line of JSON: how many events (of `diagnose`: failed operations) and bytes there were, and the thread's own
/// time, user and system.
@main
enum Stages {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else { fail("usage: stages STEP RECORDING…", status: 2) }
    let rest = Array(arguments[2...])
    do throws(RecordingError) {
      switch (arguments[1], rest.count) {
      case ("views", 1): try read(rest[0]) { _ in }
      case ("decode", 1): try read(rest[0]) { withExtendedLifetime($0.event) {} }
      case ("correlate", 1): try correlate(rest[0])
      case ("diagnose", 1): try diagnoseFailures(of: rest[0])
      case ("write", 2): try Records(rest[0]).write(to: rest[1])
      case ("copy", 2): try Records(rest[0]).copy(to: rest[1])
      case ("drain", 2): try RingStage(object: rest[0], events: rest[1]).drain()
      case ("ring", 4):
        try RingStage(object: rest[0], events: rest[1]).record(as: rest[2], to: rest[3])
      default: fail("there is no such step, or its arguments are others", status: 2)
      }
    } catch {
      fail(error.sentence, status: 1)
    }
  }

  private static func read(
    _ path: String, _ body: (RecordView) -> Void
  ) throws(RecordingError) {
    let run = try RecordedRuns.open([path]).runs[0]
    var timer = Timer()
    var bytes = 0
    var records = run.views()
    while let record = records.next() {
      body(record)
      timer.events += 1
      bytes += record.bytes.count
    }
    timer.tell(bytes: bytes)
  }

  private static func correlate(_ path: String) throws(RecordingError) {
    var timer = Timer()
    var ended: [Operation] = []
    timer.events = try operations(of: path, into: &ended).records
    timer.tell(bytes: 0)
  }

  /// The operations that failed, and how many records there are.
  private static func operations(
    of path: String, into ended: inout [Operation]
  ) throws(RecordingError) -> (run: RecordedRun, records: UInt64) {
    let run = try RecordedRuns.open([path]).runs[0]
    var configuration = Correlator.Configuration.recording
    configuration.returnsSuccesses = false
    var correlator = Correlator(hooks: run.environment.hookNames, configuration: configuration)
    var count: UInt64 = 0
    var records = run.views()
    while let record = records.next() {
      correlator.add(record, into: &ended)
      count += 1
    }
    ended += correlator.finish()
    for index in ended.indices { correlator.symbols.name(&ended[index]) }
    return (run, count)
  }

  private static func diagnoseFailures(of path: String) throws(RecordingError) {
    var ended: [Operation] = []
    let environment = try operations(of: path, into: &ended).run.environment
    var timer = Timer()
    for operation in ended {
      let diagnosis = diagnose(operation, traits: environment.traits)
      if diagnosis != nil { timer.events += 1 }
    }
    timer.tell(bytes: 0)
  }

  static func fail(_ sentence: String, status: Int32) -> Never {
    let line = "stages: \(sentence)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { Glibc.write(2, $0.baseAddress, $0.count) }
    exit(status)
  }
}
