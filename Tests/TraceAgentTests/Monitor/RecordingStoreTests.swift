// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Recording
import Testing

@testable import Monitor

@Suite struct RecordingStoreTests {
  private let place: ScratchDirectory

  init() throws { place = try ScratchDirectory() }

  private func make(_ name: String, bytes: Int = 1000, also: [String] = []) throws {
    try FileManager.default.createDirectory(
      atPath: place(name), withIntermediateDirectories: true)
    try replace(place("\(name)/metadata"), with: [UInt8](repeating: 1, count: bytes / 2))
    try replace(place("\(name)/stream_0"), with: [UInt8](repeating: 1, count: bytes - bytes / 2))
    for file in also { try replace(place("\(name)/\(file)"), with: [1]) }
  }

  private var names: [String] {
    DirectoryNames.ifReadable(place.path).sorted()
  }

  private let old = "monitor-20261123-064500-mapping-missing-EFAULT"
  private let middle = "monitor-20261123-064501-wanted"
  private let new = "monitor-20261124-000000-pin-fsdax-EOPNOTSUPP"

  @Test func namesAreTimesInUTC() {
    let kind = FailureKind(
      operation: .regMR, cause: "mapping-missing", errno: .fault, function: "x")
    #expect(
      RecordingStore.name(of: kind, utc: 1_795_416_300)
        == "monitor-20261123-064500-mapping-missing-EFAULT")
    #expect(RecordingStore.name(of: nil, utc: 0) == "monitor-19700101-000000-wanted")
    #expect(RecordingStore.isOurs(old) && RecordingStore.isOurs(middle))
    for name in [
      "monitor-20261123", "monitor-2026112x-064500-a", "mrtrace-20261123-064500", "monitor-",
    ] {
      #expect(!RecordingStore.isOurs(name))
    }
  }

  @Test func theOldestGoWhenThereAreTooMany() throws {
    for name in [new, old, middle] { try make(name) }
    var store = RecordingStore(path: place.path)
    #expect(store.stored.map(\.name) == [old, middle, new])
    #expect(store.bytes == 3000)
    #expect(store.prune(keep: 3, maxTotal: 3000) == [])
    #expect(store.prune(keep: 2, maxTotal: 1 << 30) == [old])
    #expect(names == [middle, new])
    #expect(store.prune(keep: 50, maxTotal: 1999) == [middle])
    #expect(store.prune(keep: 50, maxTotal: 0) == [new])
    #expect(names == [])
    #expect(store.prune(keep: 0, maxTotal: 0) == [])
  }

  @Test func whatIsNotOursStays() throws {
    try make(old)
    try make("mrtrace-20261123-064500")
    try make("monitor-notes")
    try replace(place("monitor-20261123-064502-x"), with: [1])
    try FileManager.default.createDirectory(
      atPath: place("monitor-20261123-064503-x"), withIntermediateDirectories: true)
    // Somebody has put a file of theirs into a recording.
    try make(middle, also: ["notes.txt"])
    var store = RecordingStore(path: place.path)
    #expect(store.stored.map(\.name) == [old, middle])
    #expect(store.prune(keep: 0, maxTotal: 0) == [old, middle])
    #expect(
      names == [
        "monitor-20261123-064501-wanted", "monitor-20261123-064502-x", "monitor-20261123-064503-x",
        "monitor-notes", "mrtrace-20261123-064500",
      ])
    #expect(DirectoryNames.ifReadable(place(middle)) == ["notes.txt"])
  }

  @Test func aDraftGetsANameThatIsFree() throws {
    try make(old)
    try make(".flight/part")
    var store = RecordingStore(path: place.path)
    let path = try store.adopt(place(".flight/part"), as: old)
    #expect(path == place("\(old)-2"))
    #expect(store.stored.map(\.name) == [old, "\(old)-2"])
    #expect(throws: Errno.noent) { _ = try store.adopt(place(".flight/none"), as: new) }
  }

  @Test func draftsOfAMonitorThatWasKilledGo() throws {
    try make(".flight/part", also: [".metadata.draft"])
    try make(".flight/kept", also: ["somebody's"])
    RecordingStore(path: place.path).removeDrafts(place(".flight"))
    #expect(names == [".flight"])
    #expect(DirectoryNames.ifReadable(place(".flight/kept")) == ["somebody's"])
    #expect(DirectoryNames.ifReadable(place(".flight")) == ["kept"])
  }
}
