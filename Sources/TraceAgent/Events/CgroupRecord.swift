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
