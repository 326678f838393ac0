// SPDX-License-Identifier: Apache-2.0

import Model

@testable import Live
@testable import Terminal

/// Operations and failures as the live views get them.
enum LiveSamples {
  static func operation(
    _ kind: Operation.Kind = .adviseMR, pid: Int = 412, comm: String = "server",
    result: Int64 = 0, startNs: UInt64 = 1_000, durationNs: UInt64 = 48_000,
    address: UInt64 = 0x7f10_c000_0000
  ) -> Operation {
    var operation = Operation(
      kind: kind, runner: .init(pid: pid, tid: pid, comm: comm), endNs: startNs + durationNs,
      result: result)
    operation.ownerPID = pid
    operation.ownerComm = comm
    operation.startNs = startNs
    operation.mr.address = address
    operation.mr.length = 2 << 20
    return operation
  }

  static func diagnosis(
    _ operation: Operation, cause: String = "fault-beyond-eof", path: String = "/mnt/pmem/pool"
  ) -> Diagnosis {
    var diagnosis = Diagnosis(
      operation: operation, errno: Errno(result: operation.result) ?? .noent, delivered: .syscall)
    diagnosis.cause = cause
    diagnosis.confidence = .proved
    diagnosis.page = .init(
      address: (operation.mr.address ?? 0) &+ 0x3000, level: "pte", raw: 0, flags: [])
    var mapping = MappingEvidence(
      address: 0, found: true, start: 0, end: 0, vmFlags: 0, pageOffset: 0)
    mapping.file = .init(
      path: path, pathIsCut: false, inode: 12, size: 0, filesystem: "ext4", blockDevice: "pmem0",
      filesystemMagic: 0, device: 0, mode: 0, inodeFlags: 0)
    diagnosis.mapping = mapping
    diagnosis.summary = "the file ends before the page"
    diagnosis.advice = ["Extend the file."]
    return diagnosis
  }

  /// `failures` of as many processes, with names that want to break the screen.
  static func heavy(_ failures: Int = 300) -> LiveSnapshot {
    var statistics = LiveStatistics(startNs: 0, clockOffsetNs: 1_700_000_000_000_000_000)
    for number in 0..<failures {
      let operation = operation(
        Operation.Kind.allCases[number % 5], pid: 1000 + number,
        comm: number % 3 == 0 ? "\u{1b}[2J\u{4f60}\u{597d}\n\u{202e}" : "storage-server1",
        result: -14, startNs: UInt64(number) * 1_000_000, durationNs: UInt64(number) * 7919,
        address: 0x7f00_0000_0000 + UInt64(number) << 24)
      statistics.add(
        operation,
        diagnosis: diagnosis(
          operation, cause: Self.causes[number % Self.causes.count],
          path: "/mnt/pmem/\u{1b}]0;owned\u{7}/" + String(repeating: "\u{6df1}", count: number % 90)
        ))
      statistics.add(Self.operation(pid: 1000 + number), diagnosis: nil)
    }
    var counters = LiveCounters()
    counters.losses = [.init(function: "hmm_vma_walk_pmd", what: "ring_full", count: 12)]
    counters.gaps = ["registrations are not seen: ib_uverbs_reg_mr: this kernel does not have it"]
    for kind in Operation.Kind.allCases {
      var durations = LiveCounters.Durations()
      for value in 0..<1000 as Range<UInt64> {
        durations.succeeded.record(value * 1_000_003)
        if value % 100 == 0 { durations.failed.record(value * 77) }
      }
      counters.operations[kind] = durations
    }
    counters.invalidations = counters.operations[.regMR]?.succeeded
    return statistics.snapshot(counters: counters, nowNs: 3_723_000_000_000)
  }

  static let causes = [
    "pte-special-devmap", "fault-beyond-eof", "mapping-missing", "mapping-not-readable",
    "pin-migration-failed", "unknown", "invalidation-livelock", "page-list-allocation",
  ]

  static let subject = LiveScreen.Subject(
    what: "./server --pool /mnt/pmem/pool", kernel: "7.3.1-amd64")

  /// A terminal with colours.
  static let colourful = Style(
    isTerminal: true, noColor: nil, term: "xterm-256color", width: 80)
  static let plain = Style(isTerminal: true, noColor: "1", term: "xterm", width: 80)
}
