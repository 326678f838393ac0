// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_cgroup`: the path of a control group that an OWNER record names by its number.
package struct CgroupRecord: Sendable {
  package var header: mrt_header
  package var cgroup: UInt64
  /// From the root of the hierarchy: "/system.slice/server.service". Cut at MRT_PATH_MAX bytes when recorded.
  package var path: String

  package init(header: mrt_header, cgroup: UInt64, path: String) {
    self.header = header
    self.cgroup = cgroup
    self.path = path
  }
}

extension CgroupRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, cgroup: record.load(\mrt_cgroup.cgroup),
      path: CText.string(record.bytes(count, at: \mrt_cgroup.path)))
  }

  var bytes: RecordBytes {
    let path = path.utf8.prefix(Int(MRT_PATH_MAX))
    var bytes = RecordBytes(header, before: \mrt_cgroup.path)
    bytes.set(\mrt_cgroup.cgroup, cgroup)
    bytes.set(\mrt_cgroup.path_size, UInt32(path.count))
    bytes.append(path)
    return bytes
  }
}
