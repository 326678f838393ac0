/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drivers: soft-RoCE and mlx5, where they decide something the core cannot tell.
 *
 * Hooks: rxe_ib_advise_mr, mlx5_ib_advise_mr, get_prefetchable_mr (which key was
 *   refused), pagefault_mr; rxe_ib_prefetch_mr_work and mlx5_ib_prefetch_mr_work
 *   (this worker is an asynchronous prefetch, not a page fault).
 * Kernels: rxe's from 6.16 and 6.18; mlx5's all, .constprop/.isra clones by kprobe.
 * Missing: a refused key is known by the verb's errno alone, and is not named; an
 *   asynchronous prefetch is reported as a page fault.
 */
#ifndef MRTRACE_DRIVER_H
#define MRTRACE_DRIVER_H

static __always_inline int on_driver(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);

	if (op)
		send_layer(op, c);
	return 0;
}

ON_EXIT(rxe_ib_advise_mr, MRT_HOOK_RXE_ADVISE_MR, 6, s32, on_driver)
ON_EXIT(mlx5_ib_advise_mr, MRT_HOOK_MLX5_ADVISE_MR, 6, s32, on_driver)
ON_EXIT(get_prefetchable_mr, MRT_HOOK_MLX5_GET_PREFETCHABLE, 3, s64, on_driver)

static __always_inline int on_worker_entry(void *ctx, struct call *c)
{
	begin(c->hook, MRT_OP_PREFETCH, 0);
	return 0;
}

static __always_inline int on_worker(void *ctx, struct call *c)
{
	struct in_flight *op = in_flight();

	COUNT(c->hook, seen);
	if (op && op->root == c->hook)
		end();
	return 0;
}

ON_ENTRY_EXIT(rxe_ib_prefetch_mr_work, MRT_HOOK_RXE_PREFETCH_WORK, 1, s32,
	      on_worker_entry, on_worker)
ON_ENTRY_EXIT(mlx5_ib_prefetch_mr_work, MRT_HOOK_MLX5_PREFETCH_WORK, 1, s32,
	      on_worker_entry, on_worker)

#endif
