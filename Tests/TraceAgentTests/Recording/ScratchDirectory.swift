// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory for one test, removed with it.
final class ScratchDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/mrtrace-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

func contents(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func replace(_ path: String, with bytes: [UInt8]) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}
