// SPDX-License-Identifier: Apache-2.0

import Model

// Checks before any page is looked at: verbs and drivers (drivers/infiniband/core/uverbs_*.c,
// hw/mlx5, sw/rxe), and the MR's umem (umem.c, umem_odp.c).
extension Site {
  static let verbSites: [Site] = [
    Site(
      "V1", [.registration], [.inval], check: "ib_uverbs_reg_mr(): (start ^ hca_va) & ~PAGE_MASK",
      evidence: "the addresses that were asked for; no driver function ran"),
    Site(
      "V2", [.registration], [.inval],
      check: "ib_check_mr_access(): remote write or atomic without LOCAL_WRITE, or unknown flags",
      evidence: "the access flags that were asked for; no driver function ran"),
    Site(
      "V3", [.registration], [.inval, .opnotsupp],
      check: "ib_check_mr_access(): IB_ACCESS_ON_DEMAND and a device without on-demand paging "
        + "(EINVAL in 6.1, EOPNOTSUPP in 6.12)",
      evidence: "the access flags and the device's capabilities"),
    Site(
      "V4", [.registration], [.opnotsupp, .inval], kernels: "6.2 and later",
      check:
        "ib_check_mr_access(): FLUSH_* and a device without it; soft-RoCE: FLUSH_PERSISTENT on "
        + "memory that is not persistent (EINVAL)",
      evidence: "the access flags, the device's capabilities, the driver's result after the pin"),
    Site(
      "V5", [.registration], [.inval], check: "ib_uverbs_reg_mr(): no such protection domain",
      evidence: "none that tells it apart"),
    Site(
      "V6", [.registration], [.inval],
      check:
        "mlx5_ib_reg_user_mr(): on-demand paging without UMR; implicit MR without its capability",
      evidence: "the driver's result; ib_umem_odp_get() did not run"),
    Site(
      "V7", [.registration], [.opnotsupp, .inval], kernels: "6.2 and later",
      check:
        "rxe_reg_user_mr(): flags outside RXE_ACCESS_SUPPORTED_MR, or an implicit MR (EINVAL up to 7.2)",
      evidence: "the access flags and the driver's result; no umem function ran"),
    Site(
      "V8", [.prefetch], [.opnotsupp],
      check: "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR(): no ops.advise_mr; the driver: an advice "
        + "that it does not know",
      evidence: "the device's operations, the advice, the driver's result"),
    Site(
      "V9", [.prefetch], [.noent, .inval, .perm],
      check:
        "mlx5: get_prefetchable_mr(): unknown key, no on-demand MR, other protection domain, or "
        + "write to a read-only MR",
      evidence:
        "the result of get_prefetchable_mr(); the MR of the key, where it was seen registered"),
    Site(
      "V10", [.prefetch], [.inval, .perm], kernels: "6.18 and later",
      check: "rxe: lookup_mr(): unknown key or an MR without LOCAL_WRITE; PREFETCH_WRITE and "
        + "!umem->writable",
      evidence: "the key and its MR; no umem function ran"),
    Site(
      "V11", [.pageFault], [.fault],
      check: "mlx5: pagefault_mr(): below iova, overflow, or past the end of the MR",
      evidence: "the address and the MR; pagefault_mr() failed and "
        + "ib_umem_odp_map_dma_and_lock() did not run"),
    Site(
      "V12", [.prefetch, .pageFault], [.fault],
      check: "mlx5: pagefault_implicit_mr(): beyond the range, or the owner is gone",
      evidence: "the result of ib_umem_odp_alloc_child()"),
    Site(
      "V13", [.pageFault], [.fault],
      check: "mlx5: pagefault_single_data_segment(): key of no MR, or only a part could be mapped",
      evidence: "pages were mapped and pagefault_single_data_segment() failed all the same"),
    Site(
      "V14", [.prefetch, .pageFault], [.fault], kernels: "6.16 and later",
      check: "mlx5: populate_mtt(): hmm_dma_map_pfn() gave no DMA address",
      evidence: "pages were mapped and mlx5r_umr_update_xlt() failed"),
    Site(
      "V15", [.pageFault], [.fault], kernels: "6.16 and later",
      check: "rxe_odp_map_range_and_lock(): pages are still not as wanted after they were mapped",
      evidence: "pages were mapped and rxe_odp_map_range_and_lock() failed"),
    Site(
      "V16", [.prefetch, .pageFault], [.fault], kernels: "6.16 and later",
      check: "rxe: the MR's iova is used as the address in the process",
      evidence: "the range that was asked for is the MR's by iova, not by address"),
    Site(
      "V17", [.prefetch, .pageFault], [.inval], kernels: "6.16 and later",
      check: "rxe: mr_check_range(): outside the MR",
      evidence: "the result of mr_check_range()"),
  ]

  static let umemSites: [Site] = [
    Site(
      "U1", [.registration], [.overflow, .inval, .nomem],
      check: "ib_init_umem_odp(): address + length wraps, no page, or no memory for the page list",
      evidence: "address and length; the result of ib_umem_odp_get()"),
    Site(
      "U2", [.registration], [.opnotsupp], kernels: "6.16 and later",
      check:
        "hmm_dma_map_alloc(): the device needs its DMA synchronised, or reaches too little memory",
      evidence: "the result of ib_umem_odp_get() of a device that has on-demand paging"),
    Site(
      "U3", [.registration], [.nomem, .inval, .overflow],
      check: "mmu_interval_notifier_insert()", evidence: "the result of ib_umem_odp_get()"),
    Site(
      "U4", [.prefetch, .pageFault], [.inval], kernels: "up to 6.15",
      check: "ib_umem_odp_map_dma_and_lock(): no access asked for",
      evidence: "its arguments; HMM did not run"),
    Site(
      "U5", [.prefetch, .pageFault], [.fault],
      check: "ib_umem_odp_map_dma_and_lock(): user_virt below the umem, or its end past the umem's",
      evidence: "its arguments and the MR's range; HMM did not run"),
    Site(
      "U6", [.prefetch, .pageFault], [.inval],
      check: "ib_umem_odp_map_dma_and_lock(): no owning task, or !mmget_not_zero()",
      evidence: "HMM did not run though the range lies in the MR; the owner is another process"),
    Site(
      "U7", [.prefetch, .pageFault], [.busy],
      check: "ib_umem_odp_map_dma_and_lock(): invalidated again and again for a second",
      evidence: "HMM's last result and how long it took"),
    Site(
      "U8", [.prefetch, .pageFault], [.inval],
      check: "ib_umem_odp_map_dma_and_lock(): hmm_order + PAGE_SHIFT < page_shift",
      evidence: "HMM succeeded; the MR's page size"),
    Site(
      "U9", [.prefetch, .pageFault], [.fault], kernels: "up to 6.15",
      check: "ib_umem_odp_map_dma_single_page(): ib_dma_mapping_error()",
      evidence: "HMM succeeded and ib_umem_odp_map_dma_and_lock() failed"),
    Site(
      "U10", [.registration], [.inval],
      check: "ib_umem_odp_alloc_implicit(): HUGETLB; ib_umem_odp_get(): no ON_DEMAND",
      evidence: "the access flags and the function's result"),
  ]
}
