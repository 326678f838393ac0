// SPDX-License-Identifier: Apache-2.0

import Model

// Memory that is there and allowed, but that the device cannot be given addresses for.
extension Cause {
  static let dmaCauses: [Cause] = [
    Cause(
      "dma-unsupported", sites: ["U2", "P17"],
      brief: "the device needs bounce buffers, with which the MR cannot work",
      errnos: [.opnotsupp],
      check: "hmm_dma_map_alloc(): the device needs its DMA synchronised, or reaches too little "
        + "memory",
      advice: [
        "On-demand paging cannot use bounce buffers: this device is behind swiotlb, not coherent, "
          + "or limited to 32-bit DMA. Register without IBV_ACCESS_ON_DEMAND, or enable the IOMMU."
      ],
      references: ["mm/hmm.c: hmm_dma_map_alloc()"]
    ) { failure in
      // Nothing else in ib_umem_odp_get() gives this errno.
      if let layer = failure.layer("ib_umem_odp_get"), layer.errno == .opnotsupp {
        return Finding(
          .proved,
          because: "the device would need bounce buffers, which on-demand paging cannot use",
          links: [.init(function: "hmm_dma_map_alloc", result: .errno(.opnotsupp), seen: .replayed)]
        )
      }
      // 7.x refuses pins of such a device at once, with the errno of fsdax memory and of ON_DEMAND.
      guard let request = failure.pinRequest, request.function == "__ib_umem_get_va",
        request.errno == .opnotsupp, !request.access.contains(.onDemand), failure.pinRefusal == nil,
        failure.operation.isComplete
      else { return nil }
      return Finding(
        .inferred,
        because: "the device would need bounce buffers in this confidential guest, with which "
          + "memory cannot be registered: no mapping in the range refuses the pin",
        links: [.init(function: request.function, result: .errno(.opnotsupp), seen: .direct)])
    },
    Cause(
      "dma-mapping-failed", sites: ["U9", "V14", "P15"],
      brief: "the IOMMU or the DMA layer gave no address for a page",
      errnos: [.fault, .io, .inval],
      check: "ib_umem_odp_map_dma_single_page(): ib_dma_mapping_error() (up to 6.15); mlx5 "
        + "populate_mtt(): hmm_dma_map_pfn() (6.16 and later); ib_umem_get(): ib_dma_map_sgtable()",
      advice: [
        "See dmesg for messages of the IOMMU or of swiotlb (\"swiotlb buffer is full\"): its "
          + "address space may be used up, or the page lies beyond the device's DMA mask.",
        "Register less memory at a time, or start the kernel with the IOMMU in passthrough mode "
          + "(iommu=pt).",
      ],
      references: [
        "drivers/infiniband/core/umem_odp.c: ib_umem_odp_map_dma_single_page()",
        "drivers/infiniband/hw/mlx5/odp.c: populate_mtt()", "mm/hmm.c: hmm_dma_map_pfn()",
      ], find: mappingFailed),
  ]

  @Sendable private static func mappingFailed(_ failure: Failure) -> Finding? {
    if let pin = pinFailed(failure) { return pin }
    guard failure.passedHMM else { return nil }
    // The driver maps (6.16 and later): the range came into the umem without an error.
    if let update = failure.layer("mlx5r_umr_update_xlt"), update.errno == .fault,
      failure.passedMap,
      failure.layer("ib_umem_odp_alloc_child") == nil
    {
      return Finding(
        .inferred,
        because:
          "a page of the range could not be mapped for DMA, unless the device itself refused "
          + "the update of its tables",
        links: [
          .init(function: "hmm_dma_map_pfn", result: .word("DMA_MAPPING_ERROR"), seen: .inferred)
        ])
    }
    // The umem maps (up to 6.15), which its access mask tells: ODP_READ_ALLOWED_BIT is always set
    // there, and no bit of HMM's flags is so low.
    guard let map = failure.failedMap, map.errno == .fault, failure.isInsideUmem(map) == true,
      map.arguments[3] & 3 != 0
    else { return nil }
    let end = map.arguments[1] &+ map.arguments[2]
    return Finding(
      .proved,
      because: "a page of \(hex(map.arguments[1])) to \(hex(end)) could not be mapped for DMA",
      links: [
        .init(function: "ib_umem_odp_map_dma_single_page", result: .errno(.fault), seen: .replayed)
      ])
  }

  /// ib_dma_map_sgtable(), the last step of ib_umem_get() (5.10 makes -ENOMEM of every failure, which
  /// has other sources there). Nothing before it has -EIO; -EINVAL is a bad length too, which its
  /// own rule knows.
  private static func pinFailed(_ failure: Failure) -> Finding? {
    guard let request = failure.pinRequest, [.io, .inval].contains(request.errno),
      !request.overflows, request.pages > 0, request.pages <= UInt64(UInt32.max)
    else { return nil }
    return Finding(
      request.errno == .io ? .proved : .inferred,
      because:
        "the pages from \(hex(request.firstPage)) on were pinned, but could not be mapped for "
        + "DMA",
      links: [
        .init(function: "ib_dma_map_sgtable_attrs", result: .errno(request.errno), seen: .replayed)
      ])
  }
}
