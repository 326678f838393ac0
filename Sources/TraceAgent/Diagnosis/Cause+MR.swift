// SPDX-License-Identifier: Apache-2.0

import Model

// Accesses that the MR itself does not allow: outside its range, against its flags, by a wrong key.
extension Cause {
  static let mrCauses: [Cause] = [
    Cause(
      "mr-range-exceeded", sites: ["U5", "V11", "V12", "V13", "V16", "V17"],
      brief: "the access reaches outside the MR",
      errnos: [.fault, .inval],
      check:
        "ib_umem_odp_map_dma_and_lock(): user_virt < ib_umem_start() or user_virt + bcnt > "
        + "ib_umem_end(); mlx5 pagefault_mr(); soft-RoCE mr_check_range()",
      advice: [
        "Check address and length of the SGE or of the remote access against the MR: the access "
          + "must lie inside.",
        "soft-RoCE takes the iova of an on-demand MR for its address: register with iova equal to "
          + "the address.",
      ],
      references: [
        "drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_and_lock()",
        "drivers/infiniband/hw/mlx5/odp.c: pagefault_mr()",
        "drivers/infiniband/sw/rxe/rxe_mr.c: mr_check_range()",
      ], find: rangeExceeded),
    Cause(
      "mr-not-writable", sites: ["V9", "V10", "V15"],
      brief: "a write to an MR that was registered without write access",
      errnos: [.perm, .inval, .fault],
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
      "mr-key-invalid", sites: ["V9", "V10", "V13"],
      brief: "the key is unknown, of another protection domain, or not of an on-demand MR",
      errnos: [.inval, .noent, .perm, .fault],
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

  // MARK: mr-range-exceeded

  @Sendable private static func rangeExceeded(_ failure: Failure) -> Finding? {
    if let check = failure.layer("mr_check_range"), check.errno == .inval,
      check.arguments.count >= 3
    {
      return rangeOfSoftRoCE(failure, start: check.arguments[1], length: check.arguments[2])
    }
    guard failure.errno == .fault, failure.walks.isEmpty, failure.ranges.isEmpty,
      !failure.isOfPinnedMR
    else { return nil }
    if let map = failure.failedMap {
      guard map.errno == .fault, failure.isInsideUmem(map) == false, let region = failure.region
      else {
        return nil
      }
      let (start, length) = (map.arguments[1], map.arguments[2])
      var text = outside(start, length, region)
      // soft-RoCE hands over the iova of an access as if it were the address.
      if let iova = failure.operation.mr.iova, let address = failure.operation.mr.address,
        iova != address, start >= iova, start &- iova < region.length
      {
        text +=
          "; it is inside its iova range from \(hex(iova)), which the driver took for an address"
      }
      return Finding(.proved, because: text)
    }
    // The segment fails by itself where fewer pages were mapped than it covers.
    if let segment = failure.layer("pagefault_single_data_segment"), segment.errno == .fault,
      failure.layers.count == 1, failure.passedMap, failure.operation.umemIdentity != nil
    {
      return Finding(
        .inferred,
        because:
          "the access reaches beyond the pages that could be mapped for it, unless its key is "
          + "stale")
    }
    guard let fault = failure.layer("pagefault_mr"), fault.errno == .fault,
      fault.arguments.count >= 3,
      failure.layer("ib_umem_odp_alloc_child") == nil
    else { return nil }
    return rangeOfMLX5(failure, start: fault.arguments[1], length: fault.arguments[2])
  }

  /// mr_check_range() refuses an MR of another kind with the same errno.
  private static func rangeOfSoftRoCE(
    _ failure: Failure, start: UInt64, length: UInt64
  ) -> Finding? {
    guard let iova = failure.operation.mr.iova, let size = failure.operation.mr.length else {
      return Finding(
        .inferred,
        because:
          "\(hex(start)) to \(hex(start &+ length)) is not inside the MR, unless it is a kind "
          + "of MR that cannot be accessed")
    }
    guard start < iova || length > size || start &- iova > size &- length else { return nil }
    return Finding(
      .proved, because: outside(start, length, AddressRange(start: iova, length: size)))
  }

  /// pagefault_mr() checks iova and umem before it maps anything.
  private static func rangeOfMLX5(_ failure: Failure, start: UInt64, length: UInt64) -> Finding? {
    guard let region = failure.region, let range = failure.umemRange else { return nil }
    if failure.operation.mr.address == 0 && failure.operation.mr.length == .max {
      // An implicit MR: pagefault_implicit_mr() ends where user space does.
      let last = UInt64(1) << (failure.traits.pageTables.levels == 5 ? 56 : 47)
      guard start >= last || last &- start < length else { return nil }
      return Finding(
        .proved, because: outside(start, length, AddressRange(start: 0, length: last)))
    }
    // The iova in an on-demand umem is not filled in.
    guard let iova = failure.operation.mr.iova else { return nil }
    let address = region.start &+ (start &- iova)
    guard start < iova || address >= range.end || range.end &- address < length else { return nil }
    return Finding(
      .proved,
      because: outside(start, length, AddressRange(start: iova, length: region.length)))
  }

  private static func outside(
    _ start: UInt64, _ length: UInt64, _ region: AddressRange
  ) -> String {
    "\(hex(start)) to \(hex(start &+ length)) is not inside the MR, which reaches from "
      + "\(hex(region.start)) to \(hex(region.start &+ region.length))"
  }

  // MARK: mr-not-writable

  @Sendable private static func notWritable(_ failure: Failure) -> Finding? {
    guard failure.walks.isEmpty, failure.ranges.isEmpty, failure.failedMap == nil else {
      return nil
    }
    if let access = writeAccess(failure) { return access }
    guard failure.operation.kind == .adviseMR else { return nil }
    let asksWrite = failure.operation.advice?.advice == 1
    let access = failure.isOfOneMR ? failure.access : nil
    let text =
      "the MR\(failure.key) is registered without write access, and PREFETCH_WRITE asks for it"
    if let rxe = failure.layer("rxe_ib_advise_mr") {
      // A mapping that may not be written has this errno too, by way of HMM.
      if rxe.errno == .perm, asksWrite, access.map({ !$0.isWritable }) ?? failure.passedMap {
        return Finding(.proved, because: text)
      }
      if rxe.errno == .inval, let access, !access.contains(.localWrite) {
        return Finding(
          .proved,
          because:
            "the MR\(failure.key) is registered without LOCAL_WRITE, without which soft-RoCE's "
            + "lookup_mr() does not find it for any advice",
          links: [.init(function: "lookup_mr", result: .word("NULL"), seen: .replayed)])
      }
    }
    // The same errno stands for a foreign protection domain.
    if let mlx5 = failure.layer("get_prefetchable_mr"), mlx5.errno == .perm, asksWrite, let access,
      !access.isWritable
    {
      return Finding(.proved, because: text)
    }
    return nil
  }

  /// rxe_odp_map_range_and_lock(mr, iova, length, flags): the range was mapped, and still is not as
  /// the access needs it.
  private static func writeAccess(_ failure: Failure) -> Finding? {
    guard let map = failure.layer("rxe_odp_map_range_and_lock"), map.errno == .fault,
      map.arguments.count >= 4, map.arguments[3] & 1 == 0, failure.passedMap
    else { return nil }
    guard let access = failure.access else {
      return Finding(
        .inferred,
        because:
          "the MR\(failure.key) is not writable, and the access writes to it, unless the range "
          + "was invalidated at that moment")
    }
    guard !access.isWritable else { return nil }
    return Finding(
      .proved,
      because:
        "the MR\(failure.key) is registered without write access, and the access writes to it")
  }

  // MARK: mr-key-invalid

  /// Advice for an MR that is pinned: the umem says so where the driver came that far, else the
  /// registration of that key, which is the newest.
  private static func keyOfPinnedMR(_ failure: Failure) -> Finding? {
    guard failure.operation.kind == .adviseMR || failure.operation.kind == .prefetch else {
      return nil
    }
    let registration = failure.operation.keyRegistration
    let isPinned = registration?.access.map { !AccessFlags(rawValue: $0).contains(.onDemand) }
    let key = failure.operation.lkey.map { "lkey \(hex(UInt64($0)))" } ?? "the key"
    var text = "\(key) is that of a pinned MR, which cannot be advised"
    if isPinned == true, let address = registration?.address, let length = registration?.length {
      text +=
        ": \(count(length, "byte")) from \(hex(address)) on were registered without ON_DEMAND"
    }
    if failure.isOfPinnedMR { return Finding(.proved, because: text) }
    guard isPinned == true else { return nil }
    // Up to 5.10 nothing is read of such a umem.
    if failure.failedMap != nil, failure.umem?.pageShift == nil, !failure.sawHMMFail() {
      return Finding(.proved, because: text)
    }
    // The answer of mlx5 to such a key and to one that it does not know.
    if let mlx5 = failure.layer("get_prefetchable_mr"), mlx5.errno == .noent {
      return Finding(.proved, because: text)
    }
    guard failure.isBare, failure.errno == .inval || failure.errno == .noent,
      failure.operation.driverHasAdvise != false
    else { return nil }
    return Finding(
      .inferred, because: text + "; the driver\(failure.ofDevice) does not say what it refused")
  }

  @Sendable private static func keyInvalid(_ failure: Failure) -> Finding? {
    if let pinned = keyOfPinnedMR(failure) { return pinned }
    guard failure.walks.isEmpty, failure.ranges.isEmpty, failure.failedMap == nil,
      failure.layer("pagefault_mr") == nil
    else { return nil }
    if let segment = failure.layer("pagefault_single_data_segment"), segment.errno == .fault {
      return keyOfSegment(failure)
    }
    guard failure.operation.kind == .adviseMR else { return nil }
    let access = failure.isOfOneMR ? failure.access : nil
    let key = failure.operation.lkey.map { "lkey \(hex(UInt64($0)))" } ?? "the lkey"
    if let rxe = failure.layer("rxe_ib_advise_mr"), rxe.errno == .inval, failure.passedMap {
      if let access, !access.contains(.localWrite) { return nil }
      let why =
        "no MR of this protection domain has it"
        + (access == nil
          ? ", or the one that has it lacks LOCAL_WRITE, which soft-RoCE wants for every "
            + "advice" : "")
      return Finding(
        .proved, because: "\(key) names no MR that can be advised: \(why)",
        links: [.init(function: "lookup_mr", result: .word("NULL"), seen: .replayed)])
    }
    guard let mlx5 = failure.layer("get_prefetchable_mr") else { return nil }
    let why: String
    switch mlx5.errno {
    case .noent: why = "no MR has it, or the one that has it is not on demand"
    case .inval: why = "it is not the key of an MR"
    case .perm
    where failure.operation.advice.map { $0.advice != 1 } ?? false || access?.isWritable ?? false:
      why = "its MR belongs to another protection domain"
    default: return nil
    }
    return Finding(.proved, because: "\(key) names no MR that can be advised: \(why)")
  }

  /// pagefault_single_data_segment() fails by itself for a stale variant of a key, a key that is
  /// neither an MR's nor a window's, too many indirections, and a range mapped in part.
  private static func keyOfSegment(_ failure: Failure) -> Finding? {
    guard failure.layers.count == 1, failure.passedHMM, failure.wouldHaveSeen("pagefault_mr"),
      failure.operation.umemIdentity == nil
    else { return nil }
    return Finding(
      .inferred,
      because:
        "the key of the access is stale or not that of an MR, unless the range was mapped in "
        + "part only")
  }
}

extension Failure {
  /// The range was mapped into the umem, or nothing was to be mapped.
  var passedMap: Bool {
    failedMap == nil && wouldHaveSeen("ib_umem_odp_map_dma_and_lock") && passedHMM
  }
}
