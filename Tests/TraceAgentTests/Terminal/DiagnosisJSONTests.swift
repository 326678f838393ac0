// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import Terminal

@Suite struct DiagnosisJSONTests {
  static func parse(_ line: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  static func object(_ diagnosis: Diagnosis) throws -> [String: Any] {
    try parse(DiagnosisJSON.line(diagnosis, clockOffsetNs: 0))
  }

  @Test func everyFieldOfTheContract() throws {
    let object = try DiagnosisJSONTests.object(DiagnosisSamples.specialPage)
    #expect(object["operation"] as? String == "advise_mr")
    #expect(object["pid"] as? Int == 412)
    #expect(object["tid"] as? Int == 412)
    #expect(object["comm"] as? String == "server")
    #expect(object["device"] as? String == "rxe0")
    #expect(object["time_ns"] as? Int == 1_234_567)
    #expect(object["duration_ns"] as? Int == 48_211)
    let mr = try #require(object["mr"] as? [String: Any])
    #expect(mr["address"] as? String == "0x7f10c0000000")
    #expect(mr["length"] as? Int == 2_097_152)
    #expect(mr["iova"] as? String == "0x7f10c0000000")
    #expect(mr["access"] as? [String] == ["LOCAL_WRITE", "REMOTE_WRITE", "ON_DEMAND"])
    #expect(object["errno"] as? String == "EFAULT")
    #expect(object["delivered"] as? String == "syscall")
    #expect(
      object["chain"] as? [[String: String]] == [
        ["function": "hmm_vma_handle_pte", "result": "-EFAULT", "seen": "replayed"],
        ["function": "hmm_vma_walk_pmd", "result": "-EFAULT", "seen": "direct"],
        ["function": "hmm_range_fault", "result": "-EFAULT", "seen": "direct"],
        ["function": "ib_umem_odp_map_dma_and_lock", "result": "-EFAULT", "seen": "direct"],
      ])
    #expect(object["cause"] as? String == "pte-special-devmap")
    #expect(object["confidence"] as? String == "proved")
    let page = try #require(object["page"] as? [String: Any])
    #expect(page["address"] as? String == "0x7f10c0003000")
    #expect(page["level"] as? String == "pte")
    #expect(page["raw"] as? String == "0x8400000028040267")
    #expect(page["flags"] as? [String] == DiagnosisSamples.specialDevmap)
    let neighbours = try #require(page["neighbours"] as? [[String: Any]])
    #expect(neighbours.count == 4)
    #expect(neighbours[3]["raw"] as? String == "0x0")
    #expect(neighbours[3]["flags"] as? [String] == [])
    let mapping = try #require(object["mapping"] as? [String: Any])
    #expect(mapping["start"] as? String == "0x7f10c0000000")
    #expect(mapping["end"] as? String == "0x7f10c0200000")
    #expect(mapping["flags"] as? [String] == ["READ", "WRITE", "SHARED"])
    #expect(mapping["file"] as? String == "/mnt/pmem/pool")
    #expect(mapping["offset"] as? Int == 12288)
    #expect(mapping["filesystem"] as? String == "ext4")
    #expect(mapping["fsdax"] as? Bool == true)
    #expect(mapping["size"] as? Int == 2_097_152)
    #expect(mapping["inode"] as? Int == 13)
    #expect(mapping["device"] as? String == "259:0")
    #expect(mapping["block_device"] as? String == "pmem0")
    #expect(object["summary"] as? String == DiagnosisSamples.specialPage.summary)
    #expect(object["advice"] as? [String] == DiagnosisSamples.specialPage.advice)
    #expect(object["references"] as? [String] == DiagnosisSamples.specialPage.references)
    let request = try #require(object["request"] as? [String: Any])
    #expect(request["address"] as? String == "0x7f10c0000000")
    #expect(request["length"] as? Int == 262_144)
    #expect(request["lkey"] as? String == "0x1a2b")
    #expect(request["advice"] as? String == "PREFETCH_WRITE")
    #expect(request["flags"] as? [String] == ["FLUSH"])
    #expect(request["sges"] as? Int == 1)
    let stack = try #require(object["stack"] as? [String: [[String: String]]])
    #expect(
      stack["kernel"]?.first == [
        "address": "0xffffffff81234567", "name": "hmm_vma_walk_pmd+0x1f",
      ])
    #expect(stack["kernel"]?.last == ["address": "0xffffffff8123aaaa"])
    for absent in ["worker", "recovered_by", "lost", "incomplete", "evidence", "gap"] {
      #expect(object[absent] == nil)
    }
  }

  @Test func anOwnerInAContainerHasItsNumberThere() throws {
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.owner = OwnerEvidence(
      pids: [412, 31, 7], pidNamespace: 4_026_532_000, startNs: 1, cgroup: 99)
    diagnosis.operation.owner?.cgroupPath = "/pod/server"
    let object = try DiagnosisJSONTests.object(diagnosis)
    #expect(object["pid"] as? Int == 412)
    #expect(object["container_pid"] as? Int == 7)
    #expect(object["cgroup"] as? String == "/pod/server")
    diagnosis.operation.owner?.pids = [412]
    #expect(try DiagnosisJSONTests.object(diagnosis)["container_pid"] == nil)
  }

  @Test func whatStandsBehindTheMapping() throws {
    var diagnosis = DiagnosisSamples.specialPage
    #expect(try DiagnosisJSONTests.object(diagnosis)["backing"] == nil)
    var backing = BackingEvidence(function: "ib_umem_get", timeNs: 1, address: 1, identity: 2)
    backing.blocks = .init(max: 8, used: 7)
    backing.subpool = .init(max: -1, used: 1)
    backing.group = .init(number: 77, usage: 1, max: 2)
    backing.path = .init(text: "/disk/upper/f", isCut: false)
    diagnosis.backing = backing
    let object = try DiagnosisJSONTests.object(diagnosis)
    let facts = try #require(object["backing"] as? [String: Any])
    #expect(facts["blocks"] as? [String: Int] == ["max": 8, "used": 7])
    #expect(facts["mount"] as? [String: Int] == ["used": 1])
    #expect(facts["group"] as? [String: Int] == ["number": 77, "usage": 4096, "max": 8192])
    #expect(facts["huge_pages"] == nil)
    #expect((object["mapping"] as? [String: Any])?["backing_file"] as? String == "/disk/upper/f")
  }

  @Test func theKeysStandInTheContractsOrder() throws {
    let line = DiagnosisJSON.line(DiagnosisSamples.specialPage, clockOffsetNs: 0)
    #expect(!line.contains("\n"))
    #expect(
      line.hasPrefix(
        #"{"operation":"advise_mr","pid":412,"tid":412,"comm":"server","device":"rxe0","#
          + #""time_ns":1234567,"duration_ns":48211,"mr":{"address":"0x7f10c0000000","#))
    var rest = Substring(line)
    for key in [
      "operation", "pid", "tid", "comm", "device", "time_ns", "duration_ns", "mr", "errno",
      "delivered", "chain", "cause", "confidence", "page", "mapping", "summary", "advice",
      "references", "request", "stack",
    ] {
      let found = try #require(rest.range(of: "\"\(key)\":"), "\(key)")
      rest = rest[found.upperBound...]
    }
  }

  @Test func aWorkerIsNamedBesideTheOwner() throws {
    let object = try DiagnosisJSONTests.object(DiagnosisSamples.missingMapping)
    #expect(object["pid"] as? Int == 412)
    #expect(object["comm"] as? String == "server")
    // Which thread of the owner is behind it, nobody knows.
    #expect(object["tid"] == nil)
    let worker = try #require(object["worker"] as? [String: Any])
    #expect(worker["pid"] as? Int == 77)
    #expect(worker["tid"] as? Int == 77)
    #expect(worker["comm"] as? String == "kworker/u8:1")
    #expect(object["delivered"] as? String == "completion")
  }

  @Test func anOwnerThatIsNotKnownIsAbsent() throws {
    var diagnosis = DiagnosisSamples.missingMapping
    diagnosis.operation.ownerPID = nil
    diagnosis.operation.ownerComm = nil
    let object = try DiagnosisJSONTests.object(diagnosis)
    #expect(object["pid"] == nil)
    #expect(object["comm"] == nil)
    #expect(object["worker"] != nil)
  }

  @Test func aFaultRunByItsOwnerHasNoWorker() throws {
    var diagnosis = DiagnosisSamples.missingMapping
    diagnosis.operation.runner = .init(pid: 412, tid: 419, comm: "poller")
    let object = try DiagnosisJSONTests.object(diagnosis)
    #expect(object["tid"] as? Int == 419)
    #expect(object["comm"] as? String == "server")
    #expect(object["worker"] == nil)
  }

  /// Advice by a child on memory of its parent: the caller is not the owner, and no thread is the owner's.
  @Test func aCallOnForeignMemoryNamesBoth() throws {
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.ownerPID = 400
    let object = try DiagnosisJSONTests.object(diagnosis)
    #expect(object["pid"] as? Int == 400)
    #expect(object["tid"] == nil)
    #expect(object["comm"] == nil)
    #expect((object["worker"] as? [String: Any])?["tid"] as? Int == 412)
  }

  @Test func aGapIsNoMapping() throws {
    let object = try DiagnosisJSONTests.object(DiagnosisSamples.missingMapping)
    #expect(object["mapping"] == nil)
    #expect(
      object["gap"] as? [String: String] == [
        "address": "0x7f10c0005000", "start": "0x7f10c0005000", "end": "0x7f10c0006000",
      ])
    // No entry was read: nothing is known of its flags.
    #expect(object["page"] as? [String: String] == ["address": "0x7f10c0005000"])
  }

  @Test func whatIsNotKnownIsAbsent() throws {
    let operation = Operation(
      kind: .regMR, runner: .init(pid: 1, tid: 2, comm: "a"), endNs: 5, result: -14)
    let diagnosis = Diagnosis(operation: operation, errno: .fault, delivered: .syscall)
    #expect(
      DiagnosisJSON.line(diagnosis, clockOffsetNs: nil)
        == #"{"operation":"reg_mr","pid":1,"tid":2,"comm":"a","errno":"EFAULT","#
        + #""delivered":"syscall","chain":[],"cause":"unknown","confidence":"unknown","#
        + #""summary":"","advice":[],"references":[]}"#)
  }

  @Test func timeIsWallClock() throws {
    let offset: Int64 = 1_795_000_000_000_000_000
    var diagnosis = DiagnosisSamples.specialPage
    var object = try DiagnosisJSONTests.parse(
      DiagnosisJSON.line(diagnosis, clockOffsetNs: offset))
    #expect(object["time_ns"] as? Int == 1_795_000_000_001_234_567)
    // Only the end was seen.
    diagnosis.operation.startNs = nil
    object = try DiagnosisJSONTests.parse(DiagnosisJSON.line(diagnosis, clockOffsetNs: offset))
    #expect(object["time_ns"] as? Int == 1_795_000_000_001_282_778)
    #expect(object["duration_ns"] == nil)
    // A broken recording: an end before its start, a time beyond all clocks.
    diagnosis.operation.startNs = .max
    object = try DiagnosisJSONTests.parse(DiagnosisJSON.line(diagnosis, clockOffsetNs: offset))
    #expect(object["time_ns"] == nil)
    #expect(object["duration_ns"] == nil)
  }

  @Test func recoveredAndLostAreSaid() throws {
    #expect(
      try DiagnosisJSONTests.object(DiagnosisSamples.pinnedFSDAX)["recovered_by"] as? String
        == "reg_mr with ON_DEMAND")
    #expect(try DiagnosisJSONTests.object(DiagnosisSamples.unknown)["lost"] as? Int == 2)
    #expect(
      try DiagnosisJSONTests.object(DiagnosisSamples.unknown)["incomplete"] as? [String]
        == ["2 records of it found no room and are lost"])
  }

  @Test func theUnknownCarriesAllEvidence() throws {
    let object = try DiagnosisJSONTests.object(DiagnosisSamples.unknown)
    let evidence = try #require(object["evidence"] as? [String: Any])
    #expect(
      Set(evidence.keys) == [
        "layers", "umems", "ranges", "walks", "faults", "levels", "entries", "mappings",
      ])
    func first(_ key: String) throws -> [String: Any] {
      try #require((evidence[key] as? [[String: Any]])?.first)
    }
    #expect(try first("layers")["arguments"] as? [String] == ["0x7f10c0000000", "0x2000"])
    #expect(try first("layers")["result"] as? Int == -14)
    #expect(try first("umems")["memlock_limit"] as? UInt64 == .max)
    #expect(try first("umems")["iova"] == nil)
    #expect(try first("ranges")["default_flags"] as? String == "0xc000000000000000")
    #expect(try first("walks")["last"] as? String == "0x7f10c0000000")
    #expect(try first("walks")["pending_end"] == nil)
    #expect(try first("walks")["rung"] as? String == "fexit")
    #expect(try first("faults")["witness"] as? String == "handle_mm_fault")
    #expect(try first("faults")["result"] as? [String] == VMFault.names(2))
    #expect(
      try first("levels") as? [String: String] == [
        "address": "0x7f10c0000000", "pgd": "0x1067", "pte": "0x0",
      ])
    #expect((try first("entries")["values"] as? [String])?.count == 5)
    #expect(try first("mappings")["anonymous"] as? Bool == true)
    #expect(try first("mappings")["file"] == nil)
  }

  @Test func aDeviceHasNoFileSize() throws {
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.mapping?.file?.mode = 0o020600
    let mapping = try DiagnosisJSONTests.object(diagnosis)["mapping"] as? [String: Any]
    #expect(mapping?["file"] as? String == "/mnt/pmem/pool")
    #expect(mapping?["size"] == nil)
  }

  @Test func hostileNamesComeBackAsTheyAre() throws {
    let comm = "a\"b\\\u{1b}]0;x\u{7}\u{9b}"
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.runner.comm = comm
    diagnosis.mapping?.file?.path = "/mnt/\n\u{202e}/\u{fffd}"
    let line = DiagnosisJSON.line(diagnosis, clockOffsetNs: 0)
    #expect(!line.unicodeScalars.contains(where: SafeText.isUnsafe))
    let object = try DiagnosisJSONTests.parse(line)
    #expect(object["comm"] as? String == comm)
    let mapping = try #require(object["mapping"] as? [String: Any])
    #expect(mapping["file"] as? String == "/mnt/\n\u{202e}/\u{fffd}")
  }

  @Test func aSuccessHasNoCause() throws {
    var operation = DiagnosisSamples.specialPage.operation
    operation.result = 0
    #expect(
      DiagnosisJSON.operationLine(operation, clockOffsetNs: 0)
        == #"{"operation":"advise_mr","pid":412,"tid":412,"comm":"server","device":"rxe0","#
        + #""time_ns":1234567,"duration_ns":48211,"mr":{"address":"0x7f10c0000000","#
        + #""length":2097152,"iova":"0x7f10c0000000","#
        + #""access":["LOCAL_WRITE","REMOTE_WRITE","ON_DEMAND"]},"#
        + #""request":{"address":"0x7f10c0000000","length":262144,"lkey":"0x1a2b","#
        + #""advice":"PREFETCH_WRITE","flags":["FLUSH"],"sges":1},"result":0}"#)
  }

  @Test func aWorkersSuccessNamesIt() throws {
    var operation = DiagnosisSamples.missingMapping.operation
    operation.result = 1
    let object = try DiagnosisJSONTests.parse(
      DiagnosisJSON.operationLine(operation, clockOffsetNs: 0))
    #expect(object["pid"] as? Int == 412)
    #expect(object["tid"] == nil)
    #expect(object["result"] as? Int == 1)
    #expect((object["worker"] as? [String: Any])?["tid"] as? Int == 77)
  }

  @Test func adviceWithoutANameStaysANumber() throws {
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.advice = Advice(advice: 9, flags: 0x11, sgeCount: 3)
    let request = try #require(
      try DiagnosisJSONTests.object(diagnosis)["request"] as? [String: Any])
    #expect(request["advice"] as? String == "9")
    #expect(request["flags"] as? [String] == ["FLUSH", "0x10"])
  }
}
