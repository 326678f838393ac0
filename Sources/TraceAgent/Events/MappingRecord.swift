// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_mapping`: a VMA and its file. Fields have the names and meanings of events.h.
package struct MappingRecord: Sendable {
  package var header: mrt_header
  package var address: UInt64
  package var start: UInt64
  package var end: UInt64
  package var vmFlags: UInt64
  package var pageOffset: UInt64
  package var previousEnd: UInt64
  package var nextStart: UInt64
  package var inode: UInt64
  package var fileSize: UInt64
  package var filesystemMagic: UInt64
  package var device: UInt32
  package var inodeFlags: UInt32
  package var mode: UInt32
  /// MRT_MAPPING_…
  package var flags: UInt32
  package var filesystem: String
  package var blockDevice: String
  /// Names from the file up to the root, each ended by NUL; at most MRT_PATH_MAX bytes are
  /// recorded.
  package var path: [UInt8]

  package init(header: mrt_header, address: UInt64, flags: UInt32) {
    self.header = header
    self.address = address
    self.flags = flags
    start = 0
    end = 0
    vmFlags = 0
    pageOffset = 0
    previousEnd = 0
    nextStart = 0
    inode = 0
    fileSize = 0
    filesystemMagic = 0
    device = 0
    inodeFlags = 0
    mode = 0
    filesystem = ""
    blockDevice = ""
    path = []
  }

  /// The path as a person writes it, and whether its upper end is missing.
  package var filePath: (text: String, isCut: Bool) {
    RecordedPath.text(path, isCut: flags & MRT_MAPPING_PATH_CUT != 0)
  }
}
