// SPDX-License-Identifier: Apache-2.0

import Model

// What the verbs layer and drivers refuse before any page is looked at.
extension Cause {
  static let verbCauses: [Cause] = [
    Cause(
      "odp-unsupported", sites: ["V3", "P16"],
      brief: "the device or its driver has no on-demand paging",
      errnos: ["EINVAL", "EOPNOTSUPP"],
      check: "ib_check_mr_access(): IB_ACCESS_ON_DEMAND and no IBK_ON_DEMAND_PAGING",
      advice: [
        "This device or driver has no on-demand paging (soft-RoCE has it since 6.15, mlx5 with "
          + "firmware support): register without IBV_ACCESS_ON_DEMAND, or use such a device or "
          + "kernel.",
        "\"ibv_devinfo -v\" shows odp_caps; \"mrtrace doctor\" lists the devices with ODP.",
      ],
      references: [
        "include/rdma/ib_verbs.h: ib_check_mr_access()",
        "drivers/infiniband/core/umem.c: ib_umem_get()",
      ], find: odpUnsupported),
    Cause(
      "advise-unsupported", sites: ["V8"],
      brief: "the driver has no prefetch, or not the one that was asked for",
      errnos: ["EOPNOTSUPP"],
      check: "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR(): no ops.advise_mr",
      advice: [
        "This driver has no prefetch (soft-RoCE has it since 6.18): leave the advice out, the "
          + "first access faults the pages in."
      ],
      references: ["drivers/infiniband/core/uverbs_std_types_mr.c", "ibv_advise_mr(3)"]
    ) { scene in
      guard scene.operation.kind == .adviseMR, scene.errno == .opnotsupp, scene.isBare,
        scene.operation.driverHasAdvise == false
      else { return nil }
      return Finding(.proved, because: "the driver\(scene.ofDevice) does not implement advise_mr")
    },
    Cause(
      "address-misaligned", sites: ["V1"],
      brief: "iova and address differ in their offset within a page",
      errnos: ["EINVAL"],
      check: "ib_uverbs_reg_mr(): (start ^ hca_va) & ~PAGE_MASK",
      advice: [
        "Give ibv_reg_mr_iova() an iova with the same offset in its page as the address, or use "
          + "ibv_reg_mr()."
      ],
      references: ["drivers/infiniband/core/uverbs_cmd.c: ib_uverbs_reg_mr()", "ibv_reg_mr(3)"]
    ) { scene in
      guard scene.isRegistration, scene.errno == .inval, scene.isBare, scene.isMisaligned == true,
        let address = scene.operation.mr.address, let iova = scene.operation.mr.iova
      else { return nil }
      return Finding(
        .proved,
        because: "address \(hex(address)) and iova \(hex(iova)) differ in their offset within a "
          + "page")
    },
    Cause(
      "access-flags-invalid", sites: ["V2"],
      brief: "the access flags contradict each other, or the device does not offer them",
      errnos: ["EINVAL", "EOPNOTSUPP"],
      check:
        "ib_check_mr_access(): remote write or atomic without LOCAL_WRITE, or an unknown flag",
      advice: [
        "REMOTE_WRITE and REMOTE_ATOMIC need LOCAL_WRITE as well.",
        "Leave out flags that this kernel does not know (0x… in the MR's access).",
      ],
      references: ["include/rdma/ib_verbs.h: ib_check_mr_access()", "ibv_reg_mr(3)"]
    ) { scene in
      guard scene.isRegistration, scene.errno == .inval, scene.isBare, scene.isMisaligned == false,
        let access = scene.access, let fault = access.fault
      else { return nil }
      return Finding(
        .proved,
        because: "the access flags \(AccessFlags.names(access.rawValue).joined(separator: "|")) "
          + "\(fault)",
        links: [.init(function: "ib_check_mr_access", result: "-EINVAL", seen: .replayed)])
    },
    Cause(
      "mr-range-exceeded", sites: ["U5", "V11", "V16"],
      brief: "the access reaches outside the MR",
      errnos: ["EFAULT", "EINVAL"],
      check:
        "ib_umem_odp_map_dma_and_lock(): user_virt < ib_umem_start() or user_virt + bcnt > "
        + "ib_umem_end()",
      advice: [
        "Check address and length of the SGE or of the remote access against the MR: the access "
          + "must lie inside.",
        "soft-RoCE takes the iova of an on-demand MR for its address: register with iova equal to "
          + "the address.",
      ],
      references: [
        "drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_and_lock()",
        "drivers/infiniband/hw/mlx5/odp.c: pagefault_mr()",
      ], find: rangeExceeded),
    Cause(
      "mr-not-writable", sites: ["V9", "V10", "V15"],
      brief: "a write to an MR that was registered without write access",
      errnos: ["EPERM", "EINVAL", "EFAULT"],
      check: "the driver: write access and !umem->writable; soft-RoCE: "
        + "lookup_mr(IB_ACCESS_LOCAL_WRITE)",
      advice: [
        "Register the MR with IBV_ACCESS_LOCAL_WRITE, or advise IBV_ADVISE_MR_ADVICE_PREFETCH "
          + "instead of PREFETCH_WRITE. soft-RoCE wants LOCAL_WRITE for every advice."
      ],
      references: [
        "drivers/infiniband/sw/rxe/rxe_odp.c: rxe_ib_prefetch_sg_list()",
        "drivers/infiniband/hw/mlx5/odp.c: get_prefetchable_mr()",
      ], find: notWritable),
    Cause(
      "mr-key-invalid", sites: ["V9", "V10"],
      brief: "the key is unknown, of another protection domain, or not of an on-demand MR",
      errnos: ["EINVAL", "ENOENT", "EPERM", "EFAULT"],
      check: "soft-RoCE: lookup_mr(); mlx5: get_prefetchable_mr()",
      advice: [
        "Use the lkey of an MR of the same protection domain and device that is still registered; "
          + "for mlx5 it must be registered with IBV_ACCESS_ON_DEMAND, for soft-RoCE with "
          + "IBV_ACCESS_LOCAL_WRITE."
      ],
      references: [
        "drivers/infiniband/sw/rxe/rxe_mr.c: lookup_mr()",
        "drivers/infiniband/hw/mlx5/odp.c: get_prefetchable_mr()",
      ], find: keyInvalid),
  ]

  @Sendable private static func odpUnsupported(_ scene: Case) -> Finding? {
    guard let access = scene.access, access.contains(.onDemand) else { return nil }
    if let request = scene.pinRequest, request.errno == .opnotsupp,
      request.access.contains(.onDemand)
    {
      return Finding(
        .proved,
        because: "the driver\(scene.ofDevice) took no notice of ON_DEMAND and would pin the "
          + "memory, which \(request.function)() refuses")
    }
    guard scene.isRegistration, scene.operation.deviceHasODP == false, scene.isBare,
      [.inval, .opnotsupp].contains(scene.errno), access.fault == nil
    else { return nil }
    if scene.errno == .inval {
      // Checked before, with the same errno.
      guard scene.isMisaligned == false, access.isDisjoint(with: [.flushGlobal, .flushPersistent])
      else { return nil }
    }
    return Finding(
      .proved,
      because: "the device\(scene.named) has no on-demand paging, and the access flags ask for "
        + "ON_DEMAND",
      links: [
        .init(function: "ib_check_mr_access", result: "-\(scene.errno)", seen: .replayed)
      ])
  }

  @Sendable private static func rangeExceeded(_ scene: Case) -> Finding? {
    guard scene.errno == .fault, scene.walks.isEmpty, scene.ranges.isEmpty,
      let umem = scene.umem, let region = umem.region, let range = scene.umemRange
    else { return nil }
    func text(_ start: UInt64, _ length: UInt64) -> String {
      var text =
        "\(hex(start)) to \(hex(start &+ length)) is not inside the MR, which reaches from "
        + "\(hex(region.start)) to \(hex(region.start &+ region.length))"
      if let iova = scene.operation.mr.iova, let address = scene.operation.mr.address,
        iova != address, start >= iova, start &- iova < region.length
      {
        text +=
          "; it is inside its iova range from \(hex(iova)), which the driver took for an address"
      }
      return text
    }
    if let map = scene.layer("ib_umem_odp_map_dma_and_lock"), map.result == -14,
      map.arguments.count >= 3
    {
      let (start, length) = (map.arguments[1], map.arguments[2])
      guard start < range.start || start &+ length > range.end else { return nil }
      return Finding(.proved, because: text(start, length))
    }
    guard let fault = scene.layer("pagefault_mr"), fault.result == -14, fault.arguments.count >= 3,
      let iova = scene.operation.mr.iova ?? umem.iova
    else { return nil }
    let (start, length) = (fault.arguments[1], fault.arguments[2])
    let address = region.start &+ (start &- iova)
    guard start < iova || address >= range.end || range.end &- address < length else { return nil }
    return Finding(.proved, because: text(start, length))
  }

  @Sendable private static func notWritable(_ scene: Case) -> Finding? {
    guard scene.operation.kind == .adviseMR, scene.walks.isEmpty, scene.ranges.isEmpty,
      scene.layer("ib_umem_odp_map_dma_and_lock") == nil
    else { return nil }
    let asksWrite = scene.operation.advice?.advice == 1
    let key = scene.key
    if let rxe = scene.layer("rxe_ib_advise_mr") {
      if rxe.result == -1, asksWrite {
        return Finding(
          .proved,
          because: "the MR\(key) is registered without write access, and PREFETCH_WRITE asks for "
            + "it")
      }
      if rxe.result == -22, let access = scene.access, !access.contains(.localWrite) {
        return Finding(
          .proved,
          because: "the MR\(key) is registered without LOCAL_WRITE, without which soft-RoCE's "
            + "lookup_mr() does not find it for any advice",
          links: [.init(function: "lookup_mr", result: "NULL", seen: .replayed)])
      }
    }
    // The same errno stands for a foreign protection domain.
    if let mlx5 = scene.layer("get_prefetchable_mr"), mlx5.result == -1, asksWrite,
      let access = scene.access, !access.isWritable
    {
      return Finding(
        .proved,
        because: "the MR\(key) is registered without write access, and PREFETCH_WRITE asks for it")
    }
    return nil
  }

  @Sendable private static func keyInvalid(_ scene: Case) -> Finding? {
    guard scene.operation.kind == .adviseMR, scene.walks.isEmpty, scene.ranges.isEmpty,
      scene.layer("ib_umem_odp_map_dma_and_lock", "pagefault_mr") == nil
    else { return nil }
    let key = scene.operation.lkey.map { "lkey \(hex(UInt64($0)))" } ?? "the lkey"
    if let rxe = scene.layer("rxe_ib_advise_mr"), rxe.result == -22 {
      let access = scene.access
      if let access, !access.contains(.localWrite) { return nil }
      let why =
        "no MR of this protection domain has it"
        + (access == nil
          ? ", or the one that has it lacks LOCAL_WRITE, which soft-RoCE wants for every "
            + "advice" : "")
      return Finding(
        .proved, because: "\(key) names no MR that can be advised: \(why)",
        links: [.init(function: "lookup_mr", result: "NULL", seen: .replayed)])
    }
    guard let mlx5 = scene.layer("get_prefetchable_mr") else { return nil }
    let why: String
    switch mlx5.result {
    case -2: why = "no MR has it, or the one that has it is not on demand"
    case -22: why = "it is not the key of an MR"
    case -1
    where scene.operation.advice.map { $0.advice != 1 } ?? false
      || scene.access?.isWritable ?? false:
      why = "its MR belongs to another protection domain"
    default: return nil
    }
    return Finding(.proved, because: "\(key) names no MR that can be advised: \(why)")
  }
}

extension Case {
  var isRegistration: Bool { operation.kind == .regMR || operation.kind == .reregMR }

  /// The first check of a registration would fail; nil = not known.
  fileprivate var isMisaligned: Bool? {
    guard let address = operation.mr.address, let iova = operation.mr.iova else { return nil }
    return (address ^ iova) & 4095 != 0
  }

  fileprivate var named: String { operation.device.map { " \($0)" } ?? "" }
  fileprivate var ofDevice: String { operation.device.map { " of \($0)" } ?? "" }
  fileprivate var key: String { operation.lkey.map { " with lkey \(hex(UInt64($0)))" } ?? "" }
}

extension AccessFlags {
  /// What ib_check_mr_access() finds wrong with the flags on every kernel and device.
  fileprivate var fault: String? {
    if !isDisjoint(with: [.remoteWrite, .remoteAtomic]) && !contains(.localWrite) {
      return "ask for remote writing without LOCAL_WRITE"
    }
    return isSubset(of: .everKnown) ? nil : "hold bits that no kernel knows"
  }
}
