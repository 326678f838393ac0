// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// What a mounted file system really does, beyond its options; only looked at, nothing is written.
package struct DAXFiles: Equatable, Sendable {
  /// Regular files looked at, and how many of them the kernel accesses directly.
  package var looked = 0
  package var direct = 0
  /// The size of the file system's blocks.
  package var blockSize: UInt64?
  /// XFS: files may share extents.
  package var hasReflink: Bool?
  /// Where the partition begins, bytes; nil for a whole device.
  package var partitionStart: UInt64?

  package init() {}

  /// As many files as tell enough.
  private static let enough = 64

  package static func look(at mount: DAXMount) -> DAXFiles {
    var found = DAXFiles()
    // the first files of the root, and of the directories in it
    let names = Directory.names(in: mount.mountPoint).sorted()
    found.look(at: names, in: mount.mountPoint)
    for name in names where found.looked < enough {
      let directory = "\(mount.mountPoint)/\(name)"
      var status = stat()
      guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
      found.look(at: Directory.names(in: directory).sorted(), in: directory)
    }
    var filesystem = statvfs()
    if statvfs(mount.mountPoint, &filesystem) == 0 { found.blockSize = UInt64(filesystem.f_bsize) }
    if mount.filesystem == "xfs" {
      let answer = cfiles_xfs_reflink(mount.mountPoint)
      if answer >= 0 { found.hasReflink = answer == 1 }
    }
    let name = mount.device.split(separator: "/").last.map(String.init) ?? ""
    if let sectors = TextFile.read("/sys/class/block/\(name)/start"),
      let start = UInt64(sectors.trimmed)
    {
      found.partitionStart = start.multipliedReportingOverflow(by: 512).partialValue
    }
    return found
  }

  private mutating func look(at names: [String], in directory: String) {
    for name in names where looked < DAXFiles.enough {
      let path = "\(directory)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      let answer = cfiles_is_dax(path)
      guard answer >= 0 else { continue }
      looked += 1
      direct += Int(answer)
    }
  }

  /// "3 of 5 files are DAX", or nil where there was none to look at.
  package var evidence: String? {
    guard looked > 0 else { return nil }
    return direct == looked
      ? "its files are DAX"
      : direct == 0 ? "its files are not DAX" : "\(direct) of \(looked) files are DAX"
  }

  /// What keeps this mount from DAX, or from 2 MiB entries; a sentence each, without end.
  package func obstacles(to mount: DAXMount, release: String, pageSize: UInt64 = 4096) -> [String] {
    var reasons: [String] = []
    if mount.deviceHasDAX == false {
      reasons.append("\(mount.device) has no DAX: its namespace's mode is not fsdax")
    }
    if mount.option == "dax=never" { reasons.append("mounted with dax=never") }
    if let blockSize, blockSize != pageSize, mount.filesystem == "ext4" || mount.filesystem == "xfs"
    {
      reasons.append("its blocks have \(blockSize) bytes: DAX needs \(pageSize)")
    }
    if hasReflink == true, let number = KernelRelease(release), number < KernelRelease(6, 0) {
      reasons.append("XFS with reflink has no DAX before Linux 6.0")
    }
    if let partitionStart, partitionStart % pageSize != 0 {
      reasons.append("its partition does not begin on a page")
    } else if let partitionStart, partitionStart % (2 << 20) != 0 {
      reasons.append("its partition does not begin at 2 MiB: pages are mapped one by one")
    }
    return reasons
  }
}
