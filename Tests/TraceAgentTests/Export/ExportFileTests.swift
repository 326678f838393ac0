// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Export

struct ExportFileTests {
  private let scratch: ScratchDirectory
  private var path: String { scratch("out") }

  init() throws { scratch = try ScratchDirectory() }

  @Test func isItsOwnersAlone() throws {
    var file = try ExportFile.create(path, force: false)
    try file.keep()
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func isNotOverwrittenUnlessForced() throws {
    try replace(path, with: [1, 2, 3])
    #expect(throws: ExportError.exists(path: path)) {
      _ = try ExportFile.create(path, force: false)
    }
    #expect(try contents(of: path) == [1, 2, 3])
    var file = try ExportFile.create(path, force: true)
    let output = ByteOutput(to: file)
    output.append([9])
    try output.flush()
    try file.keep()
    #expect(try contents(of: path) == [9])
  }

  @Test func isTakenAwayWhenTheExportFails() throws {
    do {
      let file = try ExportFile.create(path, force: false)
      #expect(FileManager.default.fileExists(atPath: file.workPath))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
  }

  /// Another program may make one of that name meanwhile.
  @Test func isNotReplacedAtTheEndEither() throws {
    var file = try ExportFile.create(path, force: false)
    try replace(path, with: [1])
    do throws(ExportError) {
      try file.keep()
      Issue.record("the file was replaced")
    } catch {
      #expect(error == .exists(path: path))
    }
    #expect(try contents(of: path) == [1])
  }

  @Test func aFullDiskIsSaid() throws {
    let file = try ExportFile.create("/dev/full", force: true)
    let output = ByteOutput(to: file)
    output.append([1])
    #expect(throws: ExportError.cannotWrite(path: "/dev/full", errno: ENOSPC)) {
      try output.flush()
    }
  }
}
