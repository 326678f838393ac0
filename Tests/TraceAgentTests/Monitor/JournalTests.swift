// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Testing

@testable import Monitor

/// Datagrams of the journal's native protocol, at a real socket.
@Suite struct JournalTests {
  private static let second: UInt64 = 1_000_000_000

  private func fields(_ datagram: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in datagram.split(separator: "\n") {
      // a value never holds a newline: each line is NAME=value
      guard let equals = line.firstIndex(of: "=") else { continue }
      fields[String(line[..<equals])] = String(line[line.index(after: equals)...])
    }
    return fields
  }

  @Test func aFailureIsALineWithFields() throws {
    let place = try ScratchDirectory()
    let receiver = try LocalReceiver(place("socket"))
    var journal = Journal(linesPerMinute: 10, now: 0, isStream: false, socket: place("socket"))
    journal.failed(DiagnosisSamples.specialPage, now: 1)
    let datagrams = receiver.received()
    #expect(datagrams.count == 1)
    let found = fields(try #require(datagrams.first))
    #expect(found["SYSLOG_IDENTIFIER"] == "mrtrace")
    #expect(found["PRIORITY"] == "4")
    #expect(found["MRTRACE_OPERATION"] == "advise_mr")
    #expect(found["MRTRACE_CAUSE"] == "pte-special-devmap")
    #expect(found["MRTRACE_CONFIDENCE"] == "proved")
    #expect(found["MRTRACE_ERRNO"] == "EFAULT")
    #expect(found["MRTRACE_PID"] == "412")
    #expect(found["MRTRACE_DEVICE"] == "rxe0")
    #expect(found["MRTRACE_FUNCTION"] == "hmm_vma_handle_pte")
    #expect(found["MRTRACE_FILE"] == "/mnt/pmem/pool")
    #expect(
      found["MESSAGE"]?.hasPrefix(
        "advise_mr by server (pid 412) on rxe0: EFAULT, pte-special-devmap (proved): ") == true)
    #expect(datagrams.first?.hasSuffix("\n") == true)
    #expect((journal.written, journal.omitted) == (1, 0))
  }

  /// A file's name may hold anything: it must not become a field of its own.
  @Test func aNameCannotAddAField() throws {
    let place = try ScratchDirectory()
    let receiver = try LocalReceiver(place("socket"))
    var journal = Journal(linesPerMinute: 10, now: 0, isStream: false, socket: place("socket"))
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.mapping?.file?.path = "/tmp/a\nPRIORITY=0\nMRTRACE_CAUSE=none"
    journal.failed(diagnosis, now: 1)
    let datagram = try #require(receiver.received().first)
    #expect(datagram.split(separator: "\n").filter { $0.hasPrefix("PRIORITY=") } == ["PRIORITY=4"])
    #expect(fields(datagram)["MRTRACE_CAUSE"] == "pte-special-devmap")
  }

  @Test func whatIsMendedIsNoWarning() throws {
    let place = try ScratchDirectory()
    let receiver = try LocalReceiver(place("socket"))
    var journal = Journal(linesPerMinute: 10, now: 0, isStream: false, socket: place("socket"))
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.recoveredBy = "reg_mr with ON_DEMAND"
    journal.failed(diagnosis, now: 1)
    #expect(fields(try #require(receiver.received().first))["PRIORITY"] == "6")
  }

  @Test func linesOverTheLimitAreCountedByCause() throws {
    let place = try ScratchDirectory()
    let receiver = try LocalReceiver(place("socket"))
    var journal = Journal(linesPerMinute: 2, now: 0, isStream: false, socket: place("socket"))
    var other = DiagnosisSamples.specialPage
    other.cause = "mapping-missing"
    for number in 0..<7 {
      journal.failed(number < 5 ? DiagnosisSamples.specialPage : other, now: Self.second)
    }
    #expect(receiver.received().count == 2)
    #expect((journal.written, journal.omitted) == (2, 5))
    journal.summarize(now: 30 * Self.second)
    #expect(receiver.received().isEmpty)
    journal.summarize(now: 62 * Self.second)
    let summary = fields(try #require(receiver.received().first))
    #expect(
      summary["MESSAGE"]
        == "5 more failures without a line here: 3 pte-special-devmap, 2 mapping-missing")
    #expect(summary["MRTRACE_OMITTED"] == "5")
    // told once
    journal.summarize(now: 200 * Self.second)
    #expect(receiver.received().isEmpty)
    // at the end without waiting
    for _ in 0..<40 { journal.failed(other, now: 200 * Self.second) }
    _ = receiver.received()
    journal.summarize(now: 200 * Self.second, isLast: true)
    #expect(receiver.received().count == 1)
  }
}
