/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drivers: soft-RoCE and mlx5, where they decide something the core cannot tell.
 *
 * Hooks: {rxe,mlx5_ib}_reg_user_mr (flags, limits, devices that refuse),
 *   {rxe,mlx5}_ib_advise_mr, get_prefetchable_mr (which key was refused),
 *   rxe_odp_map_range_and_lock, mr_check_range (a range left the MR; with every
 *   layer asked for: each packet runs them, outside of operations that are followed),
 *   mlx5r_umr_update_xlt (the device did not get its translations), and
 *   {rxe,mlx5}_ib_prefetch_mr_work (this worker is a prefetch, not a page fault).
 * Kernels: rxe's on-demand paging from 6.16 and 6.18; mlx5's all, .constprop and
 *   .isra clones by kprobe.
 * Missing: what a driver refused is known by the errno of the verb alone; an
 *   asynchronous prefetch is reported as a page fault.
 */
#ifndef MRTRACE_DRIVER_H
#define MRTRACE_DRIVER_H

static __always_inline int on_driver(void *ctx, struct call *c)
{
	struct in_flight *op;

	if (has_failed(c))
		count(&c->tally->failed);
	else if (config.detail < MRT_DETAIL_LAYERS)
		return 0;
	op = in_flight();
	if (op && has_failed(c))
		repeats_refusal(op, c);
	if (to_record_in(ctx, c, op))
		send_layer(op, c);
	return 0;
}

/* …reg_user_mr(pd, start, length, iova, access, udata), 6.18: dmah before udata */
ON_EXIT_ANY(rxe_reg_user_mr, MRT_HOOK_RXE_REG_USER_MR, 5, s64, on_driver)
ON_EXIT_ANY(mlx5_ib_reg_user_mr, MRT_HOOK_MLX5_REG_USER_MR, 5, s64, on_driver)
ON_EXIT_TWICE(rxe_ib_advise_mr, MRT_HOOK_RXE_ADVISE_MR, 6, s32, is_errno, on_driver)
ON_EXIT_TWICE(mlx5_ib_advise_mr, MRT_HOOK_MLX5_ADVISE_MR, 6, s32, is_errno, on_driver)
ON_EXIT(get_prefetchable_mr, MRT_HOOK_MLX5_GET_PREFETCHABLE, 3, s64, on_driver)
ON_EXIT(rxe_odp_map_range_and_lock, MRT_HOOK_RXE_MAP_RANGE, 4, s32, on_driver)
ON_EXIT(mr_check_range, MRT_HOOK_RXE_CHECK_RANGE, 3, s32, on_driver)
/* (mr, idx, npages, page_shift, flags), 7.x: and pdn */
ON_EXIT_ANY(mlx5r_umr_update_xlt, MRT_HOOK_MLX5_UPDATE_XLT, 5, s32, on_driver)

static __always_inline struct in_flight *on_worker_entry(void *ctx, struct call *c)
{
	return begin(c->hook, MRT_OP_PREFETCH, 0);
}

static __always_inline bool on_worker(void *ctx, struct call *c, struct in_flight *op, bool last)
{
	if (op->root != c->hook)
		return false;
	account(op, c);
	end(op);
	return true;
}

ON_OPERATION(rxe_ib_prefetch_mr_work, MRT_HOOK_RXE_PREFETCH_WORK, 1, s32, on_worker_entry,
	     no_evidence, on_worker, without_entry)
ON_OPERATION(mlx5_ib_prefetch_mr_work, MRT_HOOK_MLX5_PREFETCH_WORK, 1, s32, on_worker_entry,
	     no_evidence, on_worker, without_entry)

#endif
