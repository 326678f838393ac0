// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kernel

@Suite struct ControlGroupTests {
  @Test func theHierarchyIsFoundAmongTheMounts() {
    let mounts = """
      24 1 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw
      30 24 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
      31 30 0:27 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw
      32 30 0:28 / /sys/fs/cgroup/memory rw,relatime shared:11 - cgroup cgroup rw,memory
      """
    #expect(ControlGroups.mountPoint(in: mounts) == "/sys/fs/cgroup/unified")
  }

  @Test func withoutVersion2ThereIsNone() {
    let mounts = """
      24 1 0:22 / /sys rw shared:7 - sysfs sysfs rw
      32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup2 rw,memory
      31 -
      """
    #expect(ControlGroups.mountPoint(in: mounts) == nil)
  }

  @Test func thisProcessIsKnownToItsProc() {
    #expect(PIDNamespace.ownsProc())
  }
}

@Suite struct FilterRequestTests {
  /// A group that is not there yet must not let everything through.
  @Test func anAwaitedGroupIsAskedFor() throws {
    var request = FilterRequest()
    try request.add(.cgroup, "/system.slice/server.service")
    let filter = request.filter(cgroups: [])
    #expect(filter.asksForCgroups)
    #expect(filter.asksForOwner)
    request.removeAll(.cgroup)
    #expect(request.filter(cgroups: []) == OperationFilter())
  }
}
