// SPDX-License-Identifier: Apache-2.0

import Model

// What the verbs layer and drivers refuse before any page is looked at.
extension Cause {
  static let verbCauses: [Cause] = [
    Cause(
      "odp-unsupported", sites: ["V3", "V6", "P16"],
      brief: "the device or its driver has no on-demand paging",
      errnos: [.inval, .opnotsupp],
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
      errnos: [.opnotsupp],
      check:
        "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR(): no ops.advise_mr; the driver's advise_mr: "
        + "an advice that it does not know",
      advice: [
        "This driver has no prefetch (soft-RoCE has it since 6.18), or not this kind of it: leave "
          + "the advice out, the first access faults the pages in."
      ],
      references: ["drivers/infiniband/core/uverbs_std_types_mr.c", "ibv_advise_mr(3)"]
    ) { failure in
      guard failure.operation.kind == .adviseMR, failure.errno == .opnotsupp else { return nil }
      if failure.isBare, failure.operation.driverHasAdvise == false {
        return Finding(
          .proved, because: "the driver\(failure.ofDevice) does not implement advise_mr")
      }
      // The driver's first check; nothing behind it has this errno.
      guard let driver = failure.layer("rxe_ib_advise_mr", "mlx5_ib_advise_mr"),
        driver.errno == .opnotsupp,
        driver.arguments.count >= 2, failure.failedMap == nil
      else { return nil }
      return Finding(
        .proved,
        because: "the driver\(failure.ofDevice) does not know advice "
          + "\(UInt32(truncatingIfNeeded: driver.arguments[1]))")
    },
    Cause(
      "address-misaligned", sites: ["V1"],
      brief: "iova and address differ in their offset within a page",
      errnos: [.inval],
      check: "ib_uverbs_reg_mr(): (start ^ hca_va) & ~PAGE_MASK",
      advice: [
        "Give ibv_reg_mr_iova() an iova with the same offset in its page as the address, or use "
          + "ibv_reg_mr()."
      ],
      references: ["drivers/infiniband/core/uverbs_cmd.c: ib_uverbs_reg_mr()", "ibv_reg_mr(3)"]
    ) { failure in
      guard failure.isRegistration, failure.errno == .inval, failure.isBare,
        failure.isMisaligned == true,
        let address = failure.operation.mr.address, let iova = failure.operation.mr.iova
      else { return nil }
      return Finding(
        .proved,
        because: "address \(hex(address)) and iova \(hex(iova)) differ in their offset within a "
          + "page")
    },
    Cause(
      "access-flags-invalid", sites: ["V2", "V4", "V7", "U10"],
      brief: "the access flags contradict each other, or the device does not offer them",
      errnos: [.inval, .opnotsupp],
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

  @Sendable private static func accessFlags(_ failure: Failure) -> Finding? {
    guard failure.isRegistration, let access = failure.access else { return nil }
    return refusedByCore(failure, access) ?? refusedByDriver(failure, access)
  }

  /// ib_check_mr_access(), before the driver is asked.
  private static func refusedByCore(_ failure: Failure, _ access: AccessFlags) -> Finding? {
    guard failure.isBare else { return nil }
    let fault: String
    let flush = access.intersection([.flushGlobal, .flushPersistent])
    if failure.errno == .inval {
      // Three checks have this errno here: alignment comes first, on-demand paging last (up to 6.1).
      guard failure.isMisaligned == false else { return nil }
      if let found = access.fault {
        fault = found
      } else if !flush.isEmpty, failure.kernelLacksFlush {
        fault = "hold FLUSH flags, which this kernel does not know"
      } else {
        return nil
      }
    } else if failure.errno == .opnotsupp, access.fault == nil,
      let offered = failure.operation.deviceFlush.map(AccessFlags.init(rawValue:))
    {
      // A device without on-demand paging has this errno too, and is checked before.
      guard !access.contains(.onDemand) || failure.operation.deviceHasODP == true else {
        return nil
      }
      let lacking = flush.subtracting(offered)
      guard !lacking.isEmpty else { return nil }
      fault =
        "ask for \(list(AccessFlags.names(lacking.rawValue))), which the device"
        + "\(failure.named) does not offer"
    } else {
      return nil
    }
    return Finding(
      .proved, because: "the access flags \(failure.flagNames) \(fault)",
      links: [.init(function: "ib_check_mr_access", result: .errno(failure.errno), seen: .replayed)]
    )
  }

  private static func refusedByDriver(_ failure: Failure, _ access: AccessFlags) -> Finding? {
    // U10: an implicit MR has no page size.
    if let implicit = failure.layer("ib_umem_odp_alloc_implicit"), implicit.errno == .inval,
      access.contains(.hugetlb)
    {
      return Finding(
        .proved,
        because:
          "the access flags \(failure.flagNames) ask for HUGETLB, which an implicit on-demand "
          + "MR cannot have")
    }
    guard let rxe = failure.layer("rxe_reg_user_mr"), failure.pinRequest == nil,
      failure.layer("ib_umem_odp_get") == nil
    else { return nil }
    // rxe_odp_mr_init_user() ends there for every implicit MR: -EINVAL up to 7.2.
    if rxe.errno == .opnotsupp || rxe.errno == .inval, access.contains(.onDemand),
      failure.operation.mr.address == 0, failure.operation.mr.length == .max
    {
      return Finding(
        .proved,
        because: "an implicit on-demand MR (address 0, all of the address space) was asked for, "
          + "which soft-RoCE does not have",
        links: [
          .init(function: "rxe_odp_mr_init_user", result: .errno(failure.errno), seen: .replayed)
        ])
    }
    if rxe.errno == .opnotsupp {
      let lacking = access.subtracting(.softRoCE)
      guard !lacking.isEmpty else { return nil }
      return Finding(
        .proved,
        because: "the access flags \(failure.flagNames) ask for "
          + "\(list(AccessFlags.names(lacking.rawValue))), which soft-RoCE does not have")
    }
    // The pages are pinned by then, or that would have been seen to fail with the same errno.
    guard rxe.errno == .inval, access.contains(.flushPersistent), !access.contains(.onDemand),
      failure.wouldHaveSeen("ib_umem_get", "__ib_umem_get_va")
    else { return nil }
    return Finding(
      .proved,
      because:
        "the access flags \(failure.flagNames) ask for FLUSH_PERSISTENT, and the range has pages "
        + "that are not persistent memory",
      links: [
        .init(function: "rxe_mr_fill_pages_from_sgt", result: .errno(.inval), seen: .replayed)
      ])
  }

  @Sendable private static func odpUnsupported(_ failure: Failure) -> Finding? {
    guard let access = failure.access, access.contains(.onDemand) else { return nil }
    if let request = failure.pinRequest, request.errno == .opnotsupp,
      request.access.contains(.onDemand)
    {
      return Finding(
        .proved,
        because: "the driver\(failure.ofDevice) took no notice of ON_DEMAND and would pin the "
          + "memory, which \(request.function)() refuses")
    }
    if let found = refusedByMLX5(failure) { return found }
    guard failure.isRegistration, failure.operation.deviceHasODP == false, failure.isBare,
      [.inval, .opnotsupp].contains(failure.errno), access.fault == nil
    else { return nil }
    if failure.errno == .inval {
      // Checked before, with the same errno.
      guard failure.isMisaligned == false,
        access.isDisjoint(with: [.flushGlobal, .flushPersistent])
      else { return nil }
    }
    return Finding(
      .proved,
      because: "the device\(failure.named) has no on-demand paging, and the access flags ask for "
        + "ON_DEMAND",
      links: [
        .init(function: "ib_check_mr_access", result: .errno(failure.errno), seen: .replayed)
      ])
  }

  /// create_user_odp_mr(), before it asks for a umem.
  private static func refusedByMLX5(_ failure: Failure) -> Finding? {
    guard let mlx5 = failure.layer("mlx5_ib_reg_user_mr"), mlx5.errno == .inval,
      failure.layers.count == 1, failure.passedHMM, let length = failure.operation.mr.length
    else { return nil }
    if failure.operation.mr.address == 0 && length == .max {
      guard failure.wouldHaveSeen("ib_umem_odp_alloc_implicit") else { return nil }
      let iova = failure.operation.mr.iova
      return Finding(
        .proved,
        because: "an implicit on-demand MR was asked for, "
          + (iova.map { $0 != 0 } ?? false
            ? "and its iova is not 0" : "which the device\(failure.named) does not offer"))
    }
    guard failure.wouldHaveSeen("ib_umem_odp_get") else { return nil }
    return Finding(
      .inferred,
      because: "the device\(failure.named) cannot update the tables of an on-demand MR of "
        + "\(count(length, "byte")) by itself (UMR)",
      links: [.init(function: "mlx5r_umr_can_load_pas", result: .word("false"), seen: .inferred)])
  }
}

extension Failure {
  var isRegistration: Bool { operation.kind.isRegistration }

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
