/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page faults of mlx5 hardware.
 *
 * Hooks: pagefault_single_data_segment and, inside it or alone, pagefault_mr.
 * Kernels: all; the first is a compiler's clone everywhere, of which only the
 *   result is sent: what it did with the arguments is not known. Where
 *   pagefault_mr is one (6.1), its first three are where they were: none of them
 *   can be a constant.
 * Why: a page fault outside its MR, of an MR whose owner has gone or with a key
 *   that is none fails before the core is asked. One operation is what the
 *   outermost of the two did, so all that the core does inside belongs to it.
 *   6.13 and later try a wide range first and the wanted one if that fails: two
 *   operations, of which the second says what the device was told.
 * Missing: such a page fault is not seen; others begin in the core (umem.h).
 */
#ifndef MRTRACE_MLX5_H
#define MRTRACE_MLX5_H

/* struct mlx5_ib_mr begins with its struct ib_mr: device, pd, lkey, rkey, … */
#define MR_LKEY_5_10   16
#define MR_IOVA_5_10   24
#define MR_LENGTH_5_10 32
#define MR_UMEM_5_10   240

struct mlx5_mr {
	u64 device;
	u64 umem;
	u64 iova;
	u64 length;
	u32 lkey;
};

static __noinline int read_mr_btf(u64 address, struct mlx5_mr *out)
{
	struct mlx5_ib_mr *mr = (void *)address;

	if (!out)
		return 0;
	out->device = (u64)BPF_CORE_READ(mr, ibmr.device);
	out->umem = (u64)BPF_CORE_READ(mr, umem);
	out->iova = BPF_CORE_READ(mr, ibmr.iova);
	out->length = BPF_CORE_READ(mr, ibmr.length);
	out->lkey = BPF_CORE_READ(mr, ibmr.lkey);
	return 0;
}

/* False: this is no MR (a clone's register, perhaps), or its layout is not known. */
static __always_inline bool read_mr(u64 address, struct mlx5_mr *out)
{
	if (!address)
		return false;
	__builtin_memset(out, 0, sizeof(*out));
	if (bpf_core_type_exists(struct mlx5_ib_mr)) {
		read_mr_btf(address, out);
	} else if (is_5_10()) {
		out->device = read_u64(address);
		out->umem = read_u64(address + MR_UMEM_5_10);
		out->iova = read_u64(address + MR_IOVA_5_10);
		out->length = read_u64(address + MR_LENGTH_5_10);
		out->lkey = read_u64(address + MR_LKEY_5_10);
	}
	return out->umem && out->device && umem_field(out->umem, UMEM_IBDEV) == out->device;
}

static __always_inline struct in_flight *on_segment_entry(void *ctx, struct call *c)
{
	/* nothing is around it: what is still in flight has lost its return */
	struct in_flight *op = begin(c->hook, MRT_OP_PAGE_FAULT, 0);

	if (!op)
		return NULL;
	op->driver = c->hook;
	/* whose memory it is will be known in pagefault_mr(), if it comes to that */
	op->muted = config.filter;
	return op;
}

/* pagefault_mr(mr, io_virt, bcnt, …) */
static __always_inline struct in_flight *on_pagefault_entry(void *ctx, struct call *c)
{
	struct in_flight *op = in_flight();
	struct mlx5_mr mr;

	if (op && !is_worker(op))
		return NULL;
	if (!read_mr(c->a[0], &mr))
		return NULL;
	/* it does not call itself: its last return was lost, or this is the second copy */
	if (op && op->driver == c->hook)
		op->driver = 0;
	if (!op)
		op = begin(c->hook, MRT_OP_PAGE_FAULT, 0);
	if (!op)
		return NULL;
	if (!op->driver) {
		op->driver = c->hook;
		begin_attempt(op);
	}
	mute_others(op, umem_field(mr.umem, UMEM_OWNING_MM), mr.device);
	op->umem = 0;
	op->mr = c->a[0];
	op->request_address = c->a[1];
	op->request_length = c->a[2];
	return op;
}

static __always_inline void send_pagefault(struct in_flight *op, struct call *c, bool last)
{
	struct mrt_operation *r;
	struct mlx5_mr mr;
	bool known;

	if (omitted(op, c))
		return;
	known = read_mr(op->mr, &mr);
	r = operation_record(op, c->hook, c->ret);
	if (!r)
		return;
	if (known) {
		r->umem = op->umem ? op->umem : mr.umem;
		r->mr_address = umem_field(mr.umem, UMEM_ADDRESS);
		r->mr_length = mr.length;
		r->mr_iova = mr.iova;
		r->lkey = mr.lkey;
		r->request_address = op->request_address;
		r->request_length = op->request_length;
		r->has |= MRT_HAS_MR | MRT_HAS_IOVA | MRT_HAS_LKEY | MRT_HAS_REQUEST;
		fill_owner(r, umem_field(mr.umem, UMEM_OWNING_MM));
		fill_device(r, mr.device);
	}
	send_last(op, r, c->hook, last);
}

static __always_inline int on_pagefault_evidence(void *ctx, struct call *c, struct in_flight *op)
{
	struct mlx5_mr mr;

	/* of a compiler's clone only the result is known */
	if (c->hook == MRT_HOOK_MLX5_PAGEFAULT_SEGMENT)
		__builtin_memset(c->a, 0, sizeof(c->a));
	if ((!has_failed(c) && config.detail < MRT_DETAIL_LAYERS) || !to_record_in(ctx, c, op))
		return 0;
	send_layer(op, c);
	if (c->ret < 0 && op->driver == c->hook && read_mr(op->mr, &mr))
		send_owner_of(c->hook, umem_field(mr.umem, UMEM_OWNING_MM));
	return 0;
}

static __always_inline bool on_pagefault(void *ctx, struct call *c, struct in_flight *op, bool last)
{
	if (c->ret < 0)
		count(&c->tally->failed);
	if (op->muted && (c->ret < 0 || config.detail >= MRT_DETAIL_LAYERS))
		c->now |= MRT_NOW_FILTERED;
	if (op->driver == c->hook && !op->muted) {
		count_operation(op, c->ret);
		if (c->ret < 0 || config.detail >= MRT_DETAIL_OPERATIONS)
			send_pagefault(op, c, last);
	}
	account(op, c);
	if (op->driver != c->hook)
		return true;
	if (op->root == c->hook) {
		end(op);
		return true;
	}
	/* a prefetch goes on with its next range */
	op->driver = 0;
	op->mr = 0;
	op->umem = 0;
	return true;
}

static __always_inline int on_unseen_pagefault(void *ctx, struct call *c, bool last)
{
	if (c->ret < 0)
		count(&c->tally->failed);
	return without_entry(ctx, c, last);
}

ON_OPERATION(pagefault_mr, MRT_HOOK_MLX5_PAGEFAULT_MR, 6, s32, on_pagefault_entry,
	     on_pagefault_evidence, on_pagefault, on_unseen_pagefault)
ON_OPERATION(pagefault_single_data_segment, MRT_HOOK_MLX5_PAGEFAULT_SEGMENT, 6, s32,
	     on_segment_entry, on_pagefault_evidence, on_pagefault, on_unseen_pagefault)

#endif
