/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs' entry points: where an operation of a process begins and ends.
 *
 * Hooks: ib_uverbs_reg_mr, ib_uverbs_rereg_mr,
 *   ib_uverbs_handler_UVERBS_METHOD_{ADVISE_MR,REG_MR,REG_DMABUF_MR}.
 * Kernels: all; REG_DMABUF_MR from 5.12, REG_MR from 6.18.
 * Why: the errno the process sees, its arguments, its start and its stack.
 * Missing: inner failures on that task are seen but belong to no operation, and
 *   are counted as filtered. Where only the beginning was not seen the operation is
 *   told all the same, without its start.
 */
#ifndef MRTRACE_VERBS_H
#define MRTRACE_VERBS_H

/* The caller's operations on that device are recorded. */
static __always_inline bool is_wanted_verb(struct call *c)
{
	if (!is_wanted_caller())
		return false;
	return !(config.filter & MRT_FILTER_DEVICE) || is_wanted_device(bundle_device(c->a[0]));
}

static __always_inline struct in_flight *on_verb_entry(struct call *c, u32 kind)
{
	return is_wanted_verb(c) ? begin(c->hook, kind, c->a[0]) : NULL;
}

static __always_inline struct in_flight *on_reg_entry(void *ctx, struct call *c)
{
	return on_verb_entry(c, MRT_OP_REG_MR);
}

static __always_inline struct in_flight *on_rereg_entry(void *ctx, struct call *c)
{
	return on_verb_entry(c, MRT_OP_REREG_MR);
}

static __always_inline struct in_flight *on_advise_entry(void *ctx, struct call *c)
{
	return on_verb_entry(c, MRT_OP_ADVISE_MR);
}

static __always_inline void fill_mr(struct mrt_operation *r, u64 start, u64 length, u64 iova,
				    u32 access)
{
	r->mr_address = start;
	r->mr_length = length;
	r->mr_iova = iova;
	r->access = access;
	r->has |= MRT_HAS_MR | MRT_HAS_IOVA | MRT_HAS_ACCESS;
}

/* The write() commands: struct ib_uverbs_reg_mr and _rereg_mr in user memory. */
static __always_inline void fill_from_command(struct mrt_operation *r, u64 attrs)
{
	const void *user = (void *)bundle_command(attrs);
	struct uapi_rereg_mr rereg;
	struct uapi_reg_mr reg;

	if (!user)
		return;
	if (r->kind == MRT_OP_REG_MR) {
		if (!bpf_probe_read_user(&reg, sizeof(reg), user))
			fill_mr(r, reg.start, reg.length, reg.hca_va, reg.access_flags);
		return;
	}
	if (bpf_probe_read_user(&rereg, sizeof(rereg), user))
		return;
	fill_mr(r, rereg.start, rereg.length, rereg.hca_va, rereg.access_flags);
	/* what is not changed was not given */
	if (!(rereg.flags & IB_MR_REREG_TRANS))
		r->has &= ~(MRT_HAS_MR | MRT_HAS_IOVA);
	if (!(rereg.flags & IB_MR_REREG_ACCESS))
		r->has &= ~MRT_HAS_ACCESS;
}

static __always_inline void fill_from_reg_method(struct mrt_operation *r, u64 attrs, u32 hook)
{
	bool dmabuf = hook == MRT_HOOK_METHOD_REG_DMABUF_MR;
	u64 value;

	if (attribute(attrs, dmabuf ? REG_DMABUF_MR_LENGTH : REG_MR_LENGTH, &value, NULL)) {
		r->mr_length = value;
		if (!dmabuf && attribute(attrs, REG_MR_ADDR, &value, NULL)) {
			r->mr_address = value;
			r->has |= MRT_HAS_MR;
		}
	}
	if (attribute(attrs, dmabuf ? REG_DMABUF_MR_IOVA : REG_MR_IOVA, &value, NULL)) {
		r->mr_iova = value;
		r->has |= MRT_HAS_IOVA;
	}
	if (attribute(attrs, dmabuf ? REG_DMABUF_MR_ACCESS_FLAGS : REG_MR_ACCESS_FLAGS, &value,
		      NULL)) {
		r->access = value;
		r->has |= MRT_HAS_ACCESS;
	}
}

static __noinline u64 command_object(u64 address)
{
	struct uverbs_attr_bundle *bundle = (void *)address;

	return (u64)BPF_CORE_READ(bundle, uobject);
}

static __noinline u32 key_of_object(u64 address)
{
	struct ib_uobject *object = (void *)address;
	struct ib_mr *mr = BPF_CORE_READ(object, object);

	return BPF_CORE_READ(mr, lkey);
}

/* The key of a new MR: advice names it by that alone. */
static __always_inline void fill_key(struct mrt_operation *r, u64 attrs, bool command)
{
	u64 object = 0;

	if (!bpf_core_type_exists(struct ib_uobject) || !bpf_core_type_exists(struct ib_mr))
		return;
	if (!command)
		attribute(attrs, REG_MR_HANDLE, &object, NULL);
	else if (bpf_core_type_exists(struct uverbs_attr_bundle))
		object = command_object(attrs);
	else if (is_5_10())
		object = read_u64(attrs + BUNDLE_UOBJECT_5_10);
	if (!object)
		return;
	r->lkey = key_of_object(object);
	if (r->lkey)
		r->has |= MRT_HAS_LKEY;
}

static __always_inline void fill_advice(struct mrt_operation *r, u64 attrs)
{
	struct ib_sge_abi sge;
	u16 length = 0;
	u64 value;

	if (!attribute(attrs, ADVISE_MR_ADVICE, &value, NULL))
		return;
	r->advice = value;
	r->has |= MRT_HAS_ADVICE;
	if (attribute(attrs, ADVISE_MR_FLAGS, &value, NULL))
		r->advise_flags = value;
	/* copied into kernel memory by the dispatcher, being longer than 8 bytes */
	if (!attribute(attrs, ADVISE_MR_SGE_LIST, &value, &length))
		return;
	r->num_sge = length / sizeof(sge);
	if (!r->num_sge || read_kernel(&sge, sizeof(sge), (void *)value))
		return;
	r->request_address = sge.addr;
	r->request_length = sge.length;
	r->has |= MRT_HAS_REQUEST;
	/* of several keys it is not known which one is meant */
	if (r->num_sge == 1) {
		r->lkey = sge.lkey;
		r->has |= MRT_HAS_LKEY;
	}
}

/* Of a failure: where it was called, and by which process. */
static __always_inline int on_verb_evidence(void *ctx, struct call *c, struct in_flight *op)
{
	if (c->ret >= 0)
		return 0;
	if (op->muted || op->root != c->hook || !is_wanted_result(c->ret) || has_lender(op, c->ret))
		return 0;
	/*
	 * The call that ends counts, which need not be the one that began. Stored first:
	 * the verifier refuses a program's argument as argument of a global function.
	 */
	op->attrs = c->a[0];
	if (repeats_refusal(op, c) && has_lender(op, c->ret))
		return 0;
	send_stacks(ctx, op, c);
	send_owner(c->hook, bpf_get_current_task());
	send_refusal(c->hook, c->ret, op->attrs);
	return 0;
}

static __always_inline void fill_verb(struct mrt_operation *r, struct in_flight *op, u32 hook)
{
	r->umem = op->umem;
	if (!op->unstarted) {
		r->has |= MRT_HAS_MAP_ENTRY;
		if (!r->umem)
			r->umem = op->asked.umem;
	}
	r->owner_pid = r->h.pid;
	/* by words */
	_Static_assert(offsetof(struct mrt_operation, owner_comm) % 4 == 0 &&
			       offsetof(struct mrt_operation, comm) % 4 == 0,
		       "aligned");
	__builtin_memcpy(__builtin_assume_aligned(r->owner_comm, 4),
			 __builtin_assume_aligned(r->comm, 4), sizeof(r->comm));
	r->has |= MRT_HAS_OWNER | MRT_HAS_OWNER_COMM;
	fill_device(r, bundle_device(op->attrs));
	if (hook == MRT_HOOK_ADVISE_MR)
		fill_advice(r, op->attrs);
	else if (hook == MRT_HOOK_REG_MR || hook == MRT_HOOK_REREG_MR)
		fill_from_command(r, op->attrs);
	else
		fill_from_reg_method(r, op->attrs, hook);
	if (r->result >= 0 && r->kind == MRT_OP_REG_MR)
		fill_key(r, op->attrs, hook == MRT_HOOK_REG_MR);
}

static __always_inline void finish_verb(struct call *c, struct in_flight *op, bool last)
{
	struct mrt_operation *r;

	count_operation(op, c->ret);
	if (c->ret >= 0 && config.detail < MRT_DETAIL_OPERATIONS)
		return;
	if (omitted(op, c))
		return;
	r = operation_record(op, c->hook, c->ret);
	if (!r)
		return;
	if (c->ret < 0)
		refer(op, r, c->ret);
	fill_verb(r, op, c->hook);
	send_last(op, r, c->hook, last);
}

static __always_inline u32 kind_of_verb(u32 hook)
{
	return hook == MRT_HOOK_ADVISE_MR  ? MRT_OP_ADVISE_MR
	       : hook == MRT_HOOK_REREG_MR ? MRT_OP_REREG_MR
					   : MRT_OP_REG_MR;
}

static __always_inline bool on_verb(void *ctx, struct call *c, struct in_flight *op, bool last)
{
	if (op->root != c->hook) {
		if (!op->orphan)
			return false;
		/* it is this call that it mapped pages for */
		op->kind = kind_of_verb(c->hook);
		op->root = c->hook;
		op->unstarted = 1;
		op->orphan = 0;
	}
	/* the call that ends counts, which need not be the one that began */
	op->attrs = c->a[0];
	if (c->ret < 0)
		count(&c->tally->failed);
	if (op->muted)
		c->now = MRT_NOW_FILTERED;
	else
		finish_verb(c, op, last);
	account(op, c);
	if (op->unstarted && !op->muted)
		c->now = MRT_NOW_UNSTARTED;
	end(op);
	return true;
}

/* A verb that was not seen to begin, and of which nothing is known but its end. */
static __always_inline int on_unseen_verb(void *ctx, struct call *c, bool last)
{
	struct in_flight *op;

	if (c->ret < 0)
		count(&c->tally->failed);
	if (!is_wanted_verb(c)) {
		c->now = MRT_NOW_FILTERED;
		return 0;
	}
	/* of such a call nothing would have been recorded */
	if (!is_wanted_result(c->ret)) {
		c->now = MRT_NOW_FILTERED;
		return 0;
	}
	if (c->ret >= 0 && config.detail < MRT_DETAIL_OPERATIONS)
		return 0;
	c->now = MRT_NOW_UNSTARTED;
	op = begin(c->hook, kind_of_verb(c->hook), c->a[0]);
	if (!op)
		return 0;
	op->unstarted = 1;
	finish_verb(c, op, last);
	op->now = 0;
	end(op);
	c->now = MRT_NOW_UNSTARTED;
	return 0;
}

#define ON_VERB(symbol, id, entry) \
	ON_AWAITED(symbol, id, 1, s32, entry, on_verb_evidence, on_verb, on_unseen_verb)

ON_VERB(ib_uverbs_reg_mr, MRT_HOOK_REG_MR, on_reg_entry)
ON_VERB(ib_uverbs_rereg_mr, MRT_HOOK_REREG_MR, on_rereg_entry)
ON_VERB(ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR, MRT_HOOK_ADVISE_MR, on_advise_entry)
ON_VERB(ib_uverbs_handler_UVERBS_METHOD_REG_MR, MRT_HOOK_METHOD_REG_MR, on_reg_entry)
ON_VERB(ib_uverbs_handler_UVERBS_METHOD_REG_DMABUF_MR, MRT_HOOK_METHOD_REG_DMABUF_MR, on_reg_entry)

#endif
