// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

@Suite struct RecordingReaderTests {
  private func sentence(_ path: String) -> String? {
    do {
      _ = try RecordingReader.open(path)
      return nil
    } catch {
      return error.sentence
    }
  }

  @Test func givesBackWhatWasWritten() throws {
    let scratch = try ScratchDirectory()
    let events = try SampleRecording.write(at: scratch("r"))
    let reader = try RecordingReader.open(scratch("r"))
    #expect(reader.environment == SampleRecording.environment)
    #expect(reader.isClosed)
    #expect(reader.totals == .init(records: UInt64(events.count), discarded: 0, clamped: 0))
    // The times of the two CPUs alternate.
    let expected = events.sorted { $0.timeNs < $1.timeNs }.map { $0.encoded() }
    #expect(reader.events().map { $0.encoded() } == expected)
    #expect(reader.events().map { $0.encoded() } == expected, "a second time")
    #expect(reader.problems == [])
  }

  @Test func environmentKeepsEveryField() throws {
    let scratch = try ScratchDirectory()
    var environment = SampleRecording.environment
    environment.buildID = nil
    environment.clockOffsetNs = -1
    environment.commandLine = []
    environment.runUUID = RecordingEnvironment.newRunUUID()
    environment.part = 7
    environment.partEnd = .failure
    environment.completeFromNs = 123
    environment.hookPlan = []
    environment.traits.specialRule = .noDevmap
    environment.traits.faultsOutsideWalk = true
    environment.traits.rejectsMixedMap = true
    environment.traits.pinsForWriteAlways = false
    environment.traits.refusesFilePins = true
    environment.traits.zeroPFN = 0x1234
    environment.traits.pageTables.devmapBit = nil
    environment.traits.pageTables.savedDirtyBit = 58
    environment.traits.pageTables.levels = 5
    environment.traits.pageTables.swapTypes.migrationReadExclusive = nil
    environment.traits.pageTables.swapTypes.deviceWrite = 26
    environment.traits.pageTables.swapTypes.deviceRead = 27
    environment.traits.pageTables.swapTypes.deviceExclusive = [28, 29]
    environment.traits.pageTables.swapTypes.pteMarker = nil
    environment.traits.pageTables.swapTypes.swapinError = nil
    try SampleRecording.write(at: scratch("r"), environment: environment)
    #expect(try RecordingReader.open(scratch("r")).environment == environment)
    #expect(environment.hookNames == HookNames())
  }

  @Test func hookNamesComeFromThePlan() {
    let names = SampleRecording.environment.hookNames
    #expect(names[23] == "pagefault_mr")
    #expect(names[40] == "hmm_range_fault")
  }

  @Test func tellsWhatIsNoRecording() throws {
    let scratch = try ScratchDirectory()
    let path = scratch("r")
    #expect(sentence(path) == "Cannot read \(path): No such file or directory.")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let none =
      "\(path) is not a recording: a recording is a directory with a file named metadata."
    #expect(sentence(path) == none)
    try FileManager.default.createDirectory(
      atPath: path + "/metadata", withIntermediateDirectories: false)
    #expect(sentence(path) == none)
    try replace(scratch("file"), with: [1])
    #expect(
      sentence(scratch("file"))
        == none.replacingOccurrences(of: path, with: scratch("file")))
  }

  @Test(arguments: [
    ("", "is not a recording: its metadata is not the text of a CTF 1.8 trace."),
    ("garbage", "is not a recording: its metadata is not the text of a CTF 1.8 trace."),
    ("/* CTF 1.8 */\n", "is a CTF trace, but not a recording of mrtrace."),
    (
      "/* CTF 1.8 */ trace { env { x = 1; }; }; env { tracer_name = \"lttng-modules\"; };",
      "is a CTF trace, but not a recording of mrtrace."
    ),
    ("/* CTF 1.8 */ env { ", "is damaged: it ends inside the environment block."),
    ("/* CTF 1.8 */ env { a = \"b", "is damaged: it ends inside a text."),
    ("/* CTF 1.8 */ env { a = \"\\q\"; };", "is damaged: an unknown escape in a text."),
    ("/* CTF 1.8 */ env { a \"b\"; };", "is damaged: no value for a."),
    (
      "/* CTF 1.8 */ env { a = 99999999999999999999; };", "is damaged: no number for a."
    ),
    (
      "/* CTF 1.8 */ env { tracer_name = \"mrtrace\"; };",
      "is damaged: it does not tell format_major."
    ),
    (
      "/* CTF 1.8 */ env { tracer_name = \"mrtrace\"; format_major = \"x\"; };",
      "is damaged: format_major has no valid value."
    ),
  ])
  func refusesOtherMetadata(text: String, reason: String) throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch("r"), withIntermediateDirectories: false)
    try replace(scratch("r/metadata"), with: Array(text.utf8))
    let told = sentence(scratch("r"))
    #expect(told?.hasSuffix(reason) == true, "\(told ?? "nothing")")
  }

  private func rewriteMetadata(
    of path: String, _ old: String, _ new: String
  ) throws {
    let text = String(decoding: try contents(of: path + "/metadata"), as: UTF8.self)
    let changed = text.replacingOccurrences(of: old, with: new)
    try #require(changed != text)
    try replace(path + "/metadata", with: Array(MetadataChecksum.seal(changed).utf8))
  }

  @Test func refusesALaterMajorVersion() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    try rewriteMetadata(of: scratch("r"), "format_major = 1;", "format_major = 2;")
    #expect(
      sentence(scratch("r"))
        == "\(scratch("r")) has recording format 2, which needs a newer mrtrace: "
        + "this one reads up to 1."
    )
  }

  /// Minor version 0 had no error in FAULT, but its bytes, and no PAGES: their flags say so.
  @Test func readsAnEarlierMinorVersion() throws {
    let scratch = try ScratchDirectory()
    let writer = try RecordingWriter.create(
      at: scratch("r"), environment: SampleRecording.environment)
    var fault = SampleEvents.fault(flags: MRT_FAULT_HAS_FLAGS)
    fault.error = 0
    #expect(SampleRecording.append(.fault(fault), to: writer, cpu: 0))
    try writer.close(now: 5_000)
    let uuid = try RecordingReader.open(scratch("r")).uuid
    try rewriteMetadata(
      of: scratch("r"), "format_minor = \(RecordingEnvironment.formatMinor);", "format_minor = 0;")
    // It had no checksums either.
    let stream = try RewrittenStream.of(
      contents(of: scratch("r/stream_0")), uuid: uuid,
      newHeaderSize: PacketHeader.sizeWithoutChecksums
    ) { $1 }
    try replace(scratch("r/stream_0"), with: stream)
    let reader = try RecordingReader.open(scratch("r"))
    #expect(reader.environment.formatMinor == 0)
    guard case .fault(let read)? = Array(reader.events()).first else {
      Issue.record("no fault")
      return
    }
    #expect(read.flags == MRT_FAULT_HAS_FLAGS)
    #expect(reader.problems == [])
  }

  /// A later minor version may add kinds and fields: what is known is read, the rest is passed on
  /// as unknown.
  @Test func readsALaterMinorVersion() throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    try rewriteMetadata(
      of: scratch("r"), "format_minor = \(RecordingEnvironment.formatMinor);",
      "format_minor = 9;\n\tnew_key = \"x\";")
    let uuid = try RecordingReader.open(scratch("r")).uuid
    var isFirst = true
    let stream = try RewrittenStream.of(contents(of: scratch("r/stream_1")), uuid: uuid) {
      var records = $1
      // The first record: kind 99 now.
      if isFirst { records[8] = 99 }
      isFirst = false
      return records
    }
    try replace(scratch("r/stream_1"), with: stream)
    let reader = try RecordingReader.open(scratch("r"))
    #expect(reader.environment.formatMinor == 9)
    let events = Array(reader.events())
    #expect(events.count == 6 * SampleEvents.kinds.count)
    #expect(events[1].header.kind == 99)
    #expect(reader.problems == [.unknownRecords(file: "stream_1", count: 1)])
  }

  @Test(arguments: [
    ("page_devmap_bit = 58;", "page_devmap_bit = 64;", "page_devmap_bit has no valid value."),
    ("swap_hwpoison = 26;", "swap_hwpoison = 256;", "swap_hwpoison has no valid value."),
    ("plan_count = 3;", "plan_count = 4;", "it does not tell plan_3_hook."),
    ("plan_count = 3;", "plan_count = 99999999;", "plan_count has no valid value."),
    ("\"devmap-unknown\"", "\"other\"", "hmm_special_rule has no valid value."),
    ("trace_uuid = \"", "trace_uuid = \"zz", "trace_uuid has no valid value."),
  ])
  func refusesDamagedEnvironment(old: String, new: String, reason: String) throws {
    let scratch = try ScratchDirectory()
    try SampleRecording.write(at: scratch("r"))
    try rewriteMetadata(of: scratch("r"), old, new)
    #expect(sentence(scratch("r")) == "The metadata of \(scratch("r")) is damaged: \(reason)")
  }
}
