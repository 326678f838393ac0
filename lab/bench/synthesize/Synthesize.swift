// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Recording

/// Writes a large recording out of the operations of a small, real one.
///
///     synthesize TEMPLATE OUTPUT EVENTS [SEED [FAILURE-EVERY]]
///
/// Prints one line of JSON: what was written, and the time that the writer took.
@main
enum Synthesize {
  static func main() {
    let arguments = CommandLine.arguments
    guard (4...6).contains(arguments.count), let events = UInt64(arguments[3]) else {
      fail("usage: synthesize TEMPLATE OUTPUT EVENTS [SEED [FAILURE-EVERY]]", status: 2)
    }
    var shape = Workload.Shape()
    if arguments.count > 4 {
      guard let seed = UInt64(arguments[4]) else { fail("SEED is a number.", status: 2) }
      shape.seed = seed
    }
    if arguments.count > 5 {
      guard let every = Int(arguments[5]), every > 0 else {
        fail("FAILURE-EVERY is a number, 1 or more.", status: 2)
      }
      shape.failureEvery = every
    }
    do throws(RecordingError) {
      try run(template: arguments[1], output: arguments[2], events: events, shape: shape)
    } catch {
      fail(error.sentence, status: 1)
    }
  }

  private static func run(
    template: String, output: String, events: UInt64, shape: Workload.Shape
  ) throws(RecordingError) {
    let reader = try RecordingReader.open(template)
    let templates = Templates(reader)
    var environment = reader.environment
    environment.formatMajor = RecordingEnvironment.formatMajor
    environment.formatMinor = RecordingEnvironment.formatMinor
    environment.hostname = "synthetic"
    environment.commandLine = ["synthesize"] + CommandLine.arguments.dropFirst()
    let startNs: UInt64 = 1_000_000_000_000
    var workload = Workload(templates, shape: shape, startNs: startNs)
    guard workload.canSucceed else {
      fail("\(template) holds no operation that succeeded: record one that does.", status: 1)
    }
    let begin = monotonicNs()
    let writer = try RecordingWriter.create(at: output, environment: environment)
    try workload.run(events: events, to: writer)
    let end = try workload.finish(writer)
    try writer.close(now: end)
    let seconds = Double(monotonicNs() - begin) / 1e9
    print(
      "{\"events\":\(workload.batch.events),\"record_bytes\":\(workload.batch.byteCount),"
        + "\"written\":\(writer.written),\"recorded_seconds\":\(Double(end - startNs) / 1e9),"
        + "\"seconds\":\(seconds),\"writer_seconds\":\(Double(workload.batch.writeNs) / 1e9)}")
  }

  private static func fail(_ sentence: String, status: Int32) -> Never {
    let line = "synthesize: \(sentence)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
    exit(status)
  }
}
