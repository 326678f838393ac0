// SPDX-License-Identifier: Apache-2.0

import Model

// What the verbs layer and drivers refuse before any page is looked at.
extension Cause {
  static let verbCauses: [Cause] = [
    Cause(
      "odp-unsupported", sites: ["V3", "V6", "P16"],
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
      check:
        "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR(): no ops.advise_mr; the driver's advise_mr: "
        + "an advice that it does not know",
      advice: [
        "This driver has no prefetch (soft-RoCE has it since 6.18), or not this kind of it: leave "
          + "the advice out, the first access faults the pages in."
      ],
      references: ["drivers/infiniband/core/uverbs_std_types_mr.c", "ibv_advise_mr(3)"]
    ) { scene in
      guard scene.operation.kind == .adviseMR, scene.errno == .opnotsupp else { return nil }
      if scene.isBare, scene.operation.driverHasAdvise == false {
        return Finding(.proved, because: "the driver\(scene.ofDevice) does not implement advise_mr")
      }
      // The driver's first check; nothing behind it has this errno.
      guard let driver = scene.layer("rxe_ib_advise_mr", "mlx5_ib_advise_mr"), driver.result == -95,
        driver.arguments.count >= 2, scene.failedMap == nil
      else { return nil }
      return Finding(
        .proved,
        because: "the driver\(scene.ofDevice) does not know advice "
          + "\(UInt32(truncatingIfNeeded: driver.arguments[1]))")
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
      "access-flags-invalid", sites: ["V2", "V4", "V7", "U10"],
      brief: "the access flags contradict each other, or the device does not offer them",
      errnos: ["EINVAL", "EOPNOTSUPP"],
      check:
        "ib_check_mr_access(): remote write or atomic without LOCAL_WRITE, an unknown flag, or "
        + "FLUSH_… that the device does not offer; rxe_reg_user_mr(): what soft-RoCE does not do",
      advice: [
        "REMOTE_WRITE and REMOTE_ATOMIC need LOCAL_WRITE as well.",
        "Leave out flags that this kernel, device or memory does not know: FLUSH_PERSISTENT is for "
          + "persistent memory only, and implicit on-demand MRs (address 0, all of the address "
          + "space) are mlx5's.",
      ],
      references: [
        "include/rdma/ib_verbs.h: ib_check_mr_access()",
        "drivers/infiniband/sw/rxe/rxe_verbs.c: rxe_reg_user_mr()",
        "drivers/infiniband/sw/rxe/rxe_mr.c: rxe_mr_fill_pages_from_sgt()", "ibv_reg_mr(3)",
      ], find: accessFlags),
  ]

  @Sendable private static func accessFlags(_ scene: Case) -> Finding? {
    guard scene.isRegistration, let access = scene.access else { return nil }
    return refusedByCore(scene, access) ?? refusedByDriver(scene, access)
  }

  /// ib_check_mr_access(), before the driver is asked.
  private static func refusedByCore(_ scene: Case, _ access: AccessFlags) -> Finding? {
    guard scene.isBare else { return nil }
    let fault: String
    let flush = access.intersection([.flushGlobal, .flushPersistent])
    if scene.errno == .inval {
      // Three checks have this errno here: alignment comes first, on-demand paging last (up to 6.1).
      guard scene.isMisaligned == false else { return nil }
      if let found = access.fault {
        fault = found
      } else if !flush.isEmpty, scene.kernelLacksFlush {
        fault = "hold FLUSH flags, which this kernel does not know"
      } else {
        return nil
      }
    } else if scene.errno == .opnotsupp, access.fault == nil,
      let offered = scene.operation.deviceFlush.map(AccessFlags.init(rawValue:))
    {
      // A device without on-demand paging has this errno too, and is checked before.
      guard !access.contains(.onDemand) || scene.operation.deviceHasODP == true else { return nil }
      let lacking = flush.subtracting(offered)
      guard !lacking.isEmpty else { return nil }
      fault =
        "ask for \(list(AccessFlags.names(lacking.rawValue))), which the device"
        + "\(scene.named) does not offer"
    } else {
      return nil
    }
    return Finding(
      .proved, because: "the access flags \(scene.flagNames) \(fault)",
      links: [.init(function: "ib_check_mr_access", result: "-\(scene.errno)", seen: .replayed)])
  }

  private static func refusedByDriver(_ scene: Case, _ access: AccessFlags) -> Finding? {
    // U10: an implicit MR has no page size.
    if let implicit = scene.layer("ib_umem_odp_alloc_implicit"), implicit.result == -22,
      access.contains(.hugetlb)
    {
      return Finding(
        .proved,
        because: "the access flags \(scene.flagNames) ask for HUGETLB, which an implicit on-demand "
          + "MR cannot have")
    }
    guard let rxe = scene.layer("rxe_reg_user_mr"), scene.pinRequest == nil,
      scene.layer("ib_umem_odp_get") == nil
    else { return nil }
    // rxe_odp_mr_init_user() ends there for every implicit MR: -EINVAL up to 7.2.
    if [-95, -22].contains(rxe.result), access.contains(.onDemand),
      scene.operation.mr.address == 0, scene.operation.mr.length == .max
    {
      return Finding(
        .proved,
        because: "an implicit on-demand MR (address 0, all of the address space) was asked for, "
          + "which soft-RoCE does not have",
        links: [
          .init(function: "rxe_odp_mr_init_user", result: "-\(scene.errno)", seen: .replayed)
        ])
    }
    if rxe.result == -95 {
      let lacking = access.subtracting(.softRoCE)
      guard !lacking.isEmpty else { return nil }
      return Finding(
        .proved,
        because: "the access flags \(scene.flagNames) ask for "
          + "\(list(AccessFlags.names(lacking.rawValue))), which soft-RoCE does not have")
    }
    // The pages are pinned by then, or that would have been seen to fail with the same errno.
    guard rxe.result == -22, access.contains(.flushPersistent), !access.contains(.onDemand),
      scene.wouldHaveSeen("ib_umem_get", "__ib_umem_get_va")
    else { return nil }
    return Finding(
      .proved,
      because:
        "the access flags \(scene.flagNames) ask for FLUSH_PERSISTENT, and the range has pages "
        + "that are not persistent memory",
      links: [
        .init(function: "rxe_mr_fill_pages_from_sgt", result: "-EINVAL", seen: .replayed)
      ])
  }

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
    if let found = refusedByMLX5(scene) { return found }
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

  /// create_user_odp_mr(), before it asks for a umem.
  private static func refusedByMLX5(_ scene: Case) -> Finding? {
    guard let mlx5 = scene.layer("mlx5_ib_reg_user_mr"), mlx5.result == -22,
      scene.layers.count == 1, scene.passedHMM, let length = scene.operation.mr.length
    else { return nil }
    if scene.operation.mr.address == 0 && length == .max {
      guard scene.wouldHaveSeen("ib_umem_odp_alloc_implicit") else { return nil }
      let iova = scene.operation.mr.iova
      return Finding(
        .proved,
        because: "an implicit on-demand MR was asked for, "
          + (iova.map { $0 != 0 } ?? false
            ? "and its iova is not 0" : "which the device\(scene.named) does not offer"))
    }
    guard scene.wouldHaveSeen("ib_umem_odp_get") else { return nil }
    return Finding(
      .inferred,
      because: "the device\(scene.named) cannot update the tables of an on-demand MR of "
        + "\(count(length, "byte")) by itself (UMR)",
      links: [.init(function: "mlx5r_umr_can_load_pas", result: "false", seen: .inferred)])
  }
}

extension Case {
  var isRegistration: Bool { operation.kind == .regMR || operation.kind == .reregMR }

  /// ib_check_mr_access() of a kernel before "flush": no such capability was there to read.
  fileprivate var kernelLacksFlush: Bool {
    operation.deviceFlush == nil && operation.deviceHasODP != nil
      && wouldHaveSeen("rxe_reg_user_mr", "mlx5_ib_reg_user_mr")
  }

  fileprivate var flagNames: String {
    AccessFlags.names(operation.mr.access ?? 0).joined(separator: "|")
  }

  /// The first check of a registration would fail; nil = not known.
  fileprivate var isMisaligned: Bool? {
    guard let address = operation.mr.address, let iova = operation.mr.iova else { return nil }
    return (address ^ iova) & 4095 != 0
  }

  var named: String { operation.device.map { " \($0)" } ?? "" }
  var ofDevice: String { operation.device.map { " of \($0)" } ?? "" }
  var key: String { operation.lkey.map { " with lkey \(hex(UInt64($0)))" } ?? "" }
}

extension AccessFlags {
  /// RXE_ACCESS_SUPPORTED_MR
  fileprivate static let softRoCE: AccessFlags = [
    .localWrite, .remoteWrite, .remoteRead, .remoteAtomic, .mwBind, .onDemand, .flushGlobal,
    .flushPersistent, .optional,
  ]

  /// What ib_check_mr_access() finds wrong with the flags on every kernel and device.
  fileprivate var fault: String? {
    if !isDisjoint(with: [.remoteWrite, .remoteAtomic]) && !contains(.localWrite) {
      return "ask for remote writing without LOCAL_WRITE"
    }
    return isSubset(of: .everKnown) ? nil : "hold bits that no kernel knows"
  }
}
