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

extension MappingRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, address: record.load(\mrt_mapping.address),
      flags: record.load(\mrt_mapping.flags))
    start = record.load(\mrt_mapping.start)
    end = record.load(\mrt_mapping.end)
    vmFlags = record.load(\mrt_mapping.vm_flags)
    pageOffset = record.load(\mrt_mapping.pgoff)
    previousEnd = record.load(\mrt_mapping.prev_end)
    nextStart = record.load(\mrt_mapping.next_start)
    inode = record.load(\mrt_mapping.inode)
    fileSize = record.load(\mrt_mapping.file_size)
    filesystemMagic = record.load(\mrt_mapping.fs_magic)
    device = record.load(\mrt_mapping.device)
    inodeFlags = record.load(\mrt_mapping.inode_flags)
    mode = record.load(\mrt_mapping.mode)
    filesystem = CText.string(in: record.load(\mrt_mapping.filesystem))
    blockDevice = CText.string(in: record.load(\mrt_mapping.block_device))
    path = record.bytes(count, at: \mrt_mapping.path)
  }

  var bytes: RecordBytes {
    let path = path.prefix(Int(MRT_PATH_MAX))
    var bytes = RecordBytes(header, before: \mrt_mapping.path)
    bytes.set(\mrt_mapping.address, address)
    bytes.set(\mrt_mapping.start, start)
    bytes.set(\mrt_mapping.end, end)
    bytes.set(\mrt_mapping.vm_flags, vmFlags)
    bytes.set(\mrt_mapping.pgoff, pageOffset)
    bytes.set(\mrt_mapping.prev_end, previousEnd)
    bytes.set(\mrt_mapping.next_start, nextStart)
    bytes.set(\mrt_mapping.inode, inode)
    bytes.set(\mrt_mapping.file_size, fileSize)
    bytes.set(\mrt_mapping.fs_magic, filesystemMagic)
    bytes.set(\mrt_mapping.device, device)
    bytes.set(\mrt_mapping.inode_flags, inodeFlags)
    bytes.set(\mrt_mapping.mode, mode)
    bytes.set(\mrt_mapping.flags, flags)
    bytes.set(text: filesystem, \mrt_mapping.filesystem)
    bytes.set(text: blockDevice, \mrt_mapping.block_device)
    bytes.set(\mrt_mapping.path_size, UInt32(path.count))
    bytes.append(path)
    return bytes
  }
}
