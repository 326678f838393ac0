// SPDX-License-Identifier: Apache-2.0

import Model

// What ends an operation that is not about memory (drivers/infiniband/core/rdma_core.c, uverbs_main.c,
// kernel/cgroup/rdma.c, mm/gup.c).
extension Site {
  static let refusalSites: [Site] = [
    Site(
      "Q1", [.registration], [.again],
      check: "rdmacg_try_charge(): usage + 1 > max in a control group, the task's own or one above",
      evidence: "a group of the task that has as many objects of the device as it may have; no "
        + "driver function ran"),
    Site(
      "Q2", [.registration], [.io],
      check:
        "ib_uverbs_get_ucontext_file(), rdma_lookup_get_uobject(): the device is gone from the "
        + "descriptor",
      evidence: "ib_uverbs_device.ib_dev is NULL; no driver function ran"),
    Site(
      "Q11", [.registration, .prefetch], [.intr, .again],
      check:
        "__get_user_pages(), faultin_page(): fatal_signal_pending(); mmap_read_lock_killable(); "
        + "from 7.3 on hmm_range_fault_unlocked_timeout() too",
      evidence: "SIGKILL is pending on the task; its process's exit code, and who chose it"),
  ]
}
