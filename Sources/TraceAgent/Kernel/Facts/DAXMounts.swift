// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file system that can map persistent memory directly, from /proc/self/mounts.
package struct DAXMount: Equatable, Sendable {
  package enum DAX: Equatable, Sendable {
    case yes, no
    /// Per file (`dax=inode`).
    case perFile
  }
  package var device: String
  package var mountPoint: String
  package var filesystem: String
  /// The mount option as it stands: "dax=always", "dax", …; "" without.
  package var option: String
  package var dax: DAX
  /// The block device could; nil: not known, or none.
  package var deviceHasDAX: Bool?

  package init(
    device: String, mountPoint: String, filesystem: String, option: String, dax: DAX,
    deviceHasDAX: Bool? = nil
  ) {
    self.device = device
    self.mountPoint = mountPoint
    self.filesystem = filesystem
    self.option = option
    self.dax = dax
    self.deviceHasDAX = deviceHasDAX
  }

  /// Mounts with a DAX option, and those on a device that could have it.
  package static func all() -> [DAXMount] {
    parse(TextFile.read("/proc/self/mounts") ?? "") { device in
      let name = device.split(separator: "/").last.map(String.init) ?? device
      guard let text = TextFile.read("/sys/class/block/\(name)/queue/dax") else { return nil }
      return text.trimmed == "1"
    }
  }

  /// The same from the text of a mounts file; `deviceHasDAX` answers for a block device, nil = not known.
  package static func parse(
    _ mounts: String, deviceHasDAX: (String) -> Bool?
  ) -> [DAXMount] {
    mounts.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 4 else { return nil }
      let option =
        fields[3].split(separator: ",").first { $0 == "dax" || $0.hasPrefix("dax=") }
        .map(String.init) ?? ""
      let device = unescape(fields[0])
      let possible = device.hasPrefix("/dev/") ? deviceHasDAX(device) : nil
      // a file system without block device (virtiofs) may have DAX too: its option says so
      guard !option.isEmpty || possible == true else { return nil }
      let dax: DAX
      switch option {
      case "dax", "dax=always": dax = possible == false ? .no : .yes
      case "dax=inode": dax = .perFile
      case "dax=never": dax = .no
      // ext4 and XFS without an option follow each file's flag
      default: dax = fields[2] == "ext4" || fields[2] == "xfs" ? .perFile : .no
      }
      return DAXMount(
        device: device, mountPoint: unescape(fields[1]), filesystem: String(fields[2]),
        option: option, dax: dax, deviceHasDAX: possible)
    }
  }

  /// getmntent(3): blanks and backslashes in names are written as \040 and the like.
  private static func unescape(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.first {
      if byte == UInt8(ascii: "\\"), rest.count >= 4,
        let code = UInt8(String(decoding: rest.dropFirst().prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(4)
      } else {
        bytes.append(byte)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
