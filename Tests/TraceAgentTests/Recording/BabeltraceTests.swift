// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Recording
import Testing

/// The recording read by a reader that is not ours.
@Suite(.enabled(if: Babeltrace.isInstalled, "babeltrace2 is not installed"))
struct BabeltraceTests {
  @Test func readsAllKindsWithoutAWarning() throws {
    let scratch = try ScratchDirectory()
    let events = try SampleRecording.write(at: scratch("r"))
    let run = try Babeltrace.run(scratch("r"))
    #expect(run.status == 0)
    #expect(run.errors == "")
    // All that was written, and the closing record.
    #expect(run.lines.count == events.count + 1)
    for name in RecordKind.all.map(\.name) {
      let expected = name == "counter" ? 7 : 6
      #expect(run.lines.count { $0.contains(" \(name): ") } == expected, "\(name)")
    }
  }

  /// Values from the end of each record: a field too many or too few would move them.
  @Test(arguments: [
    ("operation", #"owner_comm = "server", comm = "server-io", device = "rxe0" }"#),
    ("operation", #"result = ( "EFAULT" : container = -14 ), umem = 0xFFFF888000001000"#),
    ("umem", "page_shift = 12, flags = 0x703, owner_pid = 412, access = 0x41 }"),
    ("layer", #"[5] = 0x6 ], rung = ( "fexit" : container = 1 ), reserved = 0 }"#),
    ("range", #"rung = ( "kprobe" : container = 2 ), flags = 0x1 }"#),
    ("walk", "entry = 0x8400000028040267, required_fault = 0x2, flags = 0xB"),
    ("levels", "pte = 0x55, read = 0x1D, paging_levels = 4 }"),
    ("entries", "[4] = 0x8000000000004867 ] }"),
    ("mapping", #"filesystem = "ext4", block_device = "pmem0", reserved = 0, path_size = 16"#),
    ("fault", "file_size = 16384, result = 0x2, fault_flags = 0x81, flags = 0x7, error = -28 }"),
    ("stack", "[1] = 0xFFFFFFFF81000020 ] }"),
    ("counter", "lost = 7, filtered = 3, untracked = 2, missed = 1, rung ="),
    ("symbol", #"name_size = 21, name = "hmm_vma_walk_pmd+0x12" }"#),
    ("pages", "bits = 0x8400000000000267, pages = 4096, level = 0x10, outcome ="),
    ("pages", #"( "in_failed_walk" : container = 1 ), weight = 1, reserved = 0 }"#),
    ("account", "missed = 1, missed_returns = 5, missed_entries = 4, running = 6, failed = 90"),
    ("account", "lost = 7, received = 79, written = 78, untracked = 2, since_ns = 500, rung ="),
    ("walk", #"hook = ( "hmm_vma_walk_pmd" : container = 45 )"#),
  ])
  func showsTheFields(name: String, fields: String) throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    let run = try Babeltrace.run(scratch("r"))
    let lines = run.lines.filter { $0.contains(" \(name): ") }
    // The counter that closes the recording has other values.
    #expect(lines.count { $0.contains(fields) } == 6, "\(lines.first ?? "no line")")
  }

  @Test func showsWallTimeAndTheEnvironment() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    let times = try Babeltrace.run("--clock-seconds", scratch("r"))
    // Offset 1 700 000 000.123456789 s and the first event at 1000 ns.
    #expect(times.output.hasPrefix("[1700000000.123457789]"))
    let details = try Babeltrace.run("--component", "sink.text.details", scratch("r"))
    #expect(details.errors == "")
    for line in ["kernel_release: 6.1.0-56-amd64", "command_count: 6", "tracer_name: mrtrace"] {
      #expect(details.output.contains(line), "\(line)")
    }
    #expect(details.output.contains(#"command_5: echo "a\b""#))
  }

  @Test func tellsLossAndReadsPacketsPutInOrder() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment)
    // The other way round, and one stream that has nothing but loss.
    for event in SampleEvents.all(from: 50_000).reversed() {
      #expect(SampleRecording.append(event, to: writer, cpu: 0))
    }
    try writer.flush(now: 2_000_000_000)
    #expect(SampleRecording.append(.fault(SampleEvents.fault()), to: writer, cpu: 0))
    writer.discarded(5, cpu: 0)
    writer.discarded(3, cpu: 9)
    try writer.close(now: 2_000_000_000)
    let run = try Babeltrace.run(scratch("r"))
    #expect(run.status == 0)
    #expect(run.lines.count == 2 + SampleEvents.kinds.count)
    #expect(run.errors.contains("discarded 5 events"))
    #expect(run.errors.contains("discarded 3 events"))
    #expect(run.errors.split(separator: "\n").count == 2, "\(run.errors)")
  }

  @Test func readsAnEmptyRecording() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment)
    try writer.close(now: 5)
    let run = try Babeltrace.run(scratch("r"))
    #expect(run.status == 0)
    #expect(run.errors == "")
    #expect(run.lines.count == 1)
  }
}

enum Babeltrace {
  private static let path = "/usr/bin/babeltrace2"

  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

  struct Run {
    var status: Int32
    var output: String
    var errors: String
    var lines: [Substring] { output.split(separator: "\n") }
  }

  static func run(_ arguments: String...) throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let scratch = try ScratchDirectory()
    // Files, not pipes: output larger than a pipe must not block.
    let files = try ["out", "err"].map { name in
      try replace(scratch(name), with: [])
      return try FileHandle(forWritingTo: URL(fileURLWithPath: scratch(name)))
    }
    process.standardOutput = files[0]
    process.standardError = files[1]
    try process.run()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus,
      output: String(decoding: try contents(of: scratch("out")), as: UTF8.self),
      errors: String(decoding: try contents(of: scratch("err")), as: UTF8.self))
  }
}
