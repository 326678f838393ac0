// SPDX-License-Identifier: Apache-2.0

import Model

// Pinned registrations: ib_umem_get() and the long-term pin it makes (mm/gup.c).
extension Cause {
  static let pinCauses: [Cause] = [
    Cause(
      "pin-fsdax", sites: ["P4"],
      check: "check_vma_flags() (5.10: check_dax_vmas()): FOLL_LONGTERM and vma_is_fsdax()",
      advice: [
        "By design: the file system could not take such pages back. Register with "
          + "IBV_ACCESS_ON_DEMAND if the device has it (ibv_devinfo -v: odp_caps), which librpma "
          + "does by itself.",
        "Or use device-dax (/dev/dax*) instead of a file, or copy through ordinary memory.",
      ],
      references: ["mm/gup.c: check_vma_flags()", "Documentation/core-api/pin_user_pages.rst"]
    ) { scene in
      scene.pin(.fsdax) { refusal in
        "\(scene.place(refusal.page)) is fsdax memory, of which the kernel refuses every long-term "
          + "pin"
      }
    },
    Cause(
      "pin-file-backed", sites: ["P8"],
      check: "check_vma_flags(): a long-term write pin and vma_needs_dirty_tracking()",
      advice: [
        "Use anonymous memory, tmpfs, hugetlbfs or a private mapping for the buffer; data written "
          + "by the device would bypass the file system's accounting.",
        "Or register with IBV_ACCESS_ON_DEMAND if the device has it.",
      ],
      references: [
        "mm/gup.c: writable_file_mapping_allowed()", "mm/vma.c: vma_needs_dirty_tracking()",
      ]
    ) { scene in
      scene.pin(.fileBacked) { refusal in
        "\(scene.place(refusal.page)) is a shared writable mapping of a file whose file system "
          + "must be told of every write, and this kernel refuses to pin it for writing"
      }
    },
    Cause(
      "pin-secretmem", sites: ["P9"], check: "check_vma_flags(): vma_is_secretmem()",
      advice: ["memfd_secret(2) memory can never be given to a device: use another buffer."],
      references: ["mm/gup.c: check_vma_flags()", "memfd_secret(2)"]
    ) { scene in
      scene.pin(.secret) { "page \(hex($0.page)) is memfd_secret memory" }
    },
    Cause(
      "pin-memlock-limit", sites: ["P3"],
      check: "ib_umem_get(): pinned_vm + pages > RLIMIT_MEMLOCK and no CAP_IPC_LOCK",
      advice: [
        "Raise the limit: \"ulimit -l unlimited\", LimitMEMLOCK=infinity in a systemd unit, "
          + "memlock in /etc/security/limits.conf, \"--ulimit memlock=-1\" of a container.",
        "What the process has pinned is VmPin in /proc/PID/status.",
      ],
      references: [
        "drivers/infiniband/core/umem.c: ib_umem_get()", "getrlimit(2): RLIMIT_MEMLOCK",
      ],
      find: memlockLimit),
    Cause(
      "pin-memlock-forbidden", sites: ["P1"],
      check: "ib_umem_get(): !can_do_mlock(), RLIMIT_MEMLOCK is 0 and no CAP_IPC_LOCK",
      advice: [
        "RLIMIT_MEMLOCK is 0: raise it (\"ulimit -l unlimited\", LimitMEMLOCK=infinity in a "
          + "systemd unit, \"--ulimit memlock=-1\" of a container)."
      ],
      references: ["mm/mlock.c: can_do_mlock()", "getrlimit(2): RLIMIT_MEMLOCK"]
    ) { scene in
      // No other check of ib_umem_get() gives EPERM.
      guard let request = scene.pinRequest, request.errno == .perm,
        scene.memlock(of: request)?.memlockLimit ?? 0 == 0
      else { return nil }
      return Finding(
        .proved,
        because: "the process may not pin memory at all: its RLIMIT_MEMLOCK is 0",
        links: [.init(function: "can_do_mlock", result: "false", seen: .replayed)])
    },
  ]

  @Sendable private static func memlockLimit(_ scene: Case) -> Finding? {
    guard let request = scene.pinRequest, request.errno == .nomem, !request.overflows,
      let umem = scene.memlock(of: request), umem.mayLock != true, let pinned = umem.pinnedPages,
      let limit = umem.memlockLimit, pinned &+ request.pages > limit >> 12
    else { return nil }
    let already = pinned == 0 ? "nothing" : count(pinned, "page")
    var because =
      "\(count(request.pages, "page")) to pin, with \(already) pinned before, are more than "
      + "RLIMIT_MEMLOCK allows (\(limit) bytes)"
    if umem.mayLock == nil { because += ", unless the process has CAP_IPC_LOCK" }
    return Finding(umem.mayLock == false ? .proved : .inferred, because: because)
  }
}

extension Case {
  fileprivate func memlock(of request: PinRequest) -> UmemEvidence? {
    operation.umems.last { $0.function == request.function }
  }
}
