/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On-demand user memory of the RDMA core.
 *
 * Hooks: ib_umem_odp_{get,alloc_implicit,alloc_child,map_dma_and_lock}; with
 *   every layer asked for, also unmap_dma_pages and release.
 * Kernels: all; in ib_uverbs.ko up to 6.18, in ib_core.ko from 7.0.
 * Why: here a range leaves the MR, an owner has gone; and for work done by
 *   kernel workers this is where an operation begins and ends, unless the driver
 *   has a function around it (mlx5.h).
 * Missing: page faults and asynchronous prefetches are not seen at all without
 *   map_dma_and_lock; failures of the others show in the verb's errno only.
 */
#ifndef MRTRACE_UMEM_H
#define MRTRACE_UMEM_H

/*
 * Nothing is in flight on this task. A kernel worker serves a page fault. A thread of a
 * process has called a verb that was not seen to begin: what fails in here is kept for
 * the verb's return (on_verb), or told when the thread does something else.
 */
static __always_inline struct in_flight *begin_map(u32 hook)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct in_flight *op = begin(hook, MRT_OP_PAGE_FAULT, 0);

	if (op && !(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		op->orphan = 1;
	return op;
}

/* ib_umem_odp_map_dma_and_lock(umem_odp, user_virt, bcnt, access_mask, fault) */
static __always_inline struct in_flight *on_map_entry(void *ctx, struct call *c)
{
	struct in_flight *op = in_flight();

	if (!op)
		op = begin_map(c->hook);
	if (!op)
		return NULL;
	/* what was asked for before has been faulted: a new walk will ask anew */
	op->pending_start = 0;
	op->ended = 0;
	op->asked.umem = c->a[0];
	op->asked.address = c->a[1];
	op->asked.length = c->a[2];
	op->asked.access = c->a[3];
	op->asked.fault = c->a[4];
	/* a driver's page fault is the operation, this a part of it */
	if (!is_worker(op) || op->driver || op->orphan_result)
		return op;
	/* a worker's prefetch maps several ranges: each is an operation */
	begin_attempt(op);
	mute_others(op, umem_field(c->a[0], UMEM_OWNING_MM),
		    config.filter ? umem_field(c->a[0], UMEM_IBDEV) : 0);
	return op;
}

static __always_inline void send_worker_operation(struct in_flight *op, struct call *c, bool last)
{
	struct mrt_operation *r;
	u64 umem = c->a[0];

	if (omitted(op, c))
		return;
	r = operation_record(op, c->hook, c->ret);
	if (!r)
		return;
	r->umem = umem;
	r->mr_address = umem_field(umem, UMEM_ADDRESS);
	r->mr_length = umem_field(umem, UMEM_LENGTH);
	r->request_address = c->a[1];
	r->request_length = c->a[2];
	r->has |= MRT_HAS_MR | MRT_HAS_REQUEST;
	fill_owner(r, umem_field(umem, UMEM_OWNING_MM));
	fill_device(r, umem_field(umem, UMEM_IBDEV));
	if (c->ret < 0)
		refer(op, r, c->ret);
	send_last(op, r, c->hook, last);
}

static __always_inline bool is_of_worker(struct in_flight *op)
{
	return is_worker(op) && !op->driver;
}

static __always_inline void look_late(struct in_flight *op, struct call *c);

static __always_inline int on_map_evidence(void *ctx, struct call *c, struct in_flight *op)
{
	if ((!has_failed(c) && config.detail < MRT_DETAIL_LAYERS) || !to_record_in(ctx, c, op))
		return 0;
	send_layer(op, c);
	if (c->ret >= 0)
		return 0;
	if (c->ret == -E_FAULT || c->ret == -E_PERM)
		look_late(op, c);
	send_umem(op, c->hook, c->a[0], 0);
	if (is_of_worker(op))
		send_owner_of(c->hook, umem_field(c->a[0], UMEM_OWNING_MM));
	return 0;
}

static __always_inline bool on_map(void *ctx, struct call *c, struct in_flight *op, bool last)
{
	bool worker = is_of_worker(op);

	if (c->ret < 0)
		count(&c->tally->failed);
	if (op->muted && (c->ret < 0 || config.detail >= MRT_DETAIL_LAYERS))
		c->now |= MRT_NOW_FILTERED;
	op->umem = c->a[0];
	if (op->orphan) {
		account(op, c);
		if (c->ret < 0)
			op->orphan_result = c->ret;
		return true;
	}
	if (worker && !op->muted) {
		count_operation(op, c->ret);
		if (c->ret < 0 || config.detail >= MRT_DETAIL_OPERATIONS)
			send_worker_operation(op, c, last);
	}
	account(op, c);
	/* the next range of the same call is a new attempt */
	op->done &= DONE_STACK | DONE_FILTERS | DONE_REPEATS | DONE_LENDS;
	op->witness = 0;
	if (worker && op->root == c->hook)
		end(op);
	return true;
}

ON_OPERATION(ib_umem_odp_map_dma_and_lock, MRT_HOOK_ODP_MAP, 5, s32, on_map_entry, on_map_evidence,
	     on_map, without_entry)

/* …get(device, addr, size, access, ops); ERR_PTR on failure */
static __always_inline int on_odp_get(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);

	if (op)
		send_layer(op, c);
	if ((u64)c->ret < (u64)-4095) { /* no ERR_PTR: the new MR's umem */
		op = in_flight();
		if (op)
			op->umem = c->ret;
	}
	return 0;
}

ON_EVERY_EXIT(ib_umem_odp_get, MRT_HOOK_ODP_GET, 5, s64, on_odp_get)
ON_EVERY_EXIT(ib_umem_odp_alloc_implicit, MRT_HOOK_ODP_ALLOC_IMPLICIT, 2, s64, on_odp_get)
ON_EVERY_EXIT(ib_umem_odp_alloc_child, MRT_HOOK_ODP_ALLOC_CHILD, 4, s64, on_odp_get)

/* Detail `layers` only: nothing to return, so they are recorded as they end. */
static __always_inline int on_odp_void(void *ctx, struct call *c)
{
	struct in_flight *op;

	c->ret = 0;
	op = in_flight();
	c->op = op;
	if (op && !op->muted)
		send_layer(op, c);
	else
		c->now = MRT_NOW_FILTERED;
	return 0;
}

ON_EVERY_EXIT(ib_umem_odp_unmap_dma_pages, MRT_HOOK_ODP_UNMAP, 3, s32, on_odp_void)
ON_EVERY_EXIT(ib_umem_odp_release, MRT_HOOK_ODP_RELEASE, 1, s32, on_odp_void)

#endif
