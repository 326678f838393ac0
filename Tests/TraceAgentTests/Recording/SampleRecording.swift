// SPDX-License-Identifier: Apache-2.0

import Events
import Model
import Testing

@testable import Recording

/// Recordings made for tests.
enum SampleRecording {
  static let traits = KernelTraits(
    machine: "x86_64", release: "6.1.0-56-amd64",
    pageTables: PageTableFormat(
      architecture: .x86_64, devmapBit: 58, savedDirtyBit: nil,
      swapTypes: SwapTypes(
        maxSwapFiles: 26, hwpoison: 26, migrationRead: 27, migrationReadExclusive: 28,
        migrationWrite: 29, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: 30,
        swapinError: 31), levels: 4),
    specialRule: .devmapUnknown, faultsOutsideWalk: false, rejectsMixedMap: false,
    pinsForWriteAlways: true, refusesFilePins: false)

  static let environment = RecordingEnvironment(
    toolVersion: "0.1.0", traits: traits, kernelVersion: "#1 SMP Debian 6.1.192-1",
    buildID: "0123abcd", hostname: "node7",
    commandLine: ["mrtrace", "record", "--", "sh", "-c", "echo \"a\\b\"\n\t\u{1}2 é"],
    detail: "operations",
    hookPlan: [
      .init(hook: 40, symbol: "hmm_range_fault", rung: .fexit),
      .init(hook: 36, symbol: "ib_umem_get", module: "ib_uverbs", rung: .kprobe, note: "no BTF"),
      .init(
        hook: 23, symbol: "pagefault_mr.constprop.0", module: "mlx5_ib", rung: .noHook,
        note: "module not loaded"),
    ],
    clockOffsetNs: 1_700_000_000_123_456_789, startWallNs: 1_700_000_100_000_000_000)

  /// Two CPUs, `rounds` of all kinds each, closed. Returns the events as they were put in.
  @discardableResult
  static func write(
    at path: String, packetSize: Int = 2048, rounds: UInt64 = 3,
    environment: RecordingEnvironment = environment
  ) throws -> [Event] {
    let writer = try RecordingWriter.create(
      at: path, environment: environment, packetSize: packetSize)
    var events: [Event] = []
    for round in 0..<rounds {
      for cpu in 0..<2 as Range<UInt32> {
        for event in SampleEvents.all(from: 1_000 + 1_000 * round + UInt64(cpu), cpu: cpu) {
          #expect(append(event, to: writer, cpu: Int(cpu)))
          events.append(event)
        }
      }
    }
    try writer.close(now: 10_000)
    return events
  }

  static func append(_ event: Event, to writer: RecordingWriter, cpu: Int) -> Bool {
    let bytes = event.encoded()
    do {
      return try bytes.withUnsafeBytes { try writer.append($0, cpu: cpu) }
    } catch {
      return false
    }
  }
}
