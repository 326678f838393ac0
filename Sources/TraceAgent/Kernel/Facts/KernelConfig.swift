// SPDX-License-Identifier: Apache-2.0

import CLinux

/// How the running kernel was configured, where it or its distribution says so.
package struct KernelConfig: Equatable, Sendable {
  /// The file.
  package var source: String
  /// Options that are set, with their values ("y", "m", …).
  package var options: [String: String]

  package init(source: String, options: [String: String]) {
    self.source = source
    self.options = options
  }

  /// Built in or a module.
  package func has(_ option: String) -> Bool { ["y", "m"].contains(options[option]) }

  /// From the kernel itself, or from the first place in which distributions keep it.
  package static func read(release: String, root: String = "") -> KernelConfig? {
    let places = [
      "/proc/config.gz", "/boot/config-\(release)", "/lib/modules/\(release)/config",
      "/usr/lib/modules/\(release)/config", "/usr/lib/kernel/config-\(release)",
      "/lib/modules/\(release)/build/.config",
    ]
    for place in places {
      guard let text = unpacked(root + place) else { continue }
      let options = parse(text)
      if !options.isEmpty { return KernelConfig(source: place, options: options) }
    }
    return nil
  }

  package static func parse(_ text: String) -> [String: String] {
    var options: [String: String] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("CONFIG_") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      options[String(parts[0])] = String(parts[1])
    }
    return options
  }

  private static func unpacked(_ path: String) -> String? {
    // ten times the largest there is; more is no configuration
    var bytes = [UInt8](repeating: 0, count: 4 << 20)
    let size = cgzip_read(path, &bytes, UInt(bytes.count))
    guard size > 0 else { return nil }
    return String(decoding: bytes[..<size], as: UTF8.self)
  }
}
