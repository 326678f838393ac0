/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of an operation that ended, and of the umem it worked on. */
#ifndef MRTRACE_OPERATION_H
#define MRTRACE_OPERATION_H

static __always_inline u64 umem_field(u64 umem, u32 offset)
{
	return read_u64(umem + offset);
}

static __always_inline void fill_owner(struct mrt_operation *r, u64 mm_address)
{
	struct mm_struct *mm = (void *)mm_address;
	struct task_struct *owner;

	if (!mm || !bpf_core_field_exists(mm->owner))
		return;
	owner = BPF_CORE_READ(mm, owner);
	if (!owner)
		return;
	r->owner_pid = BPF_CORE_READ(owner, tgid);
	read_comm(r->owner_comm, (char *)owner + bpf_core_field_offset(owner->comm));
	r->has |= MRT_HAS_OWNER | MRT_HAS_OWNER_COMM;
}

static __always_inline bool is_worker(struct in_flight *op)
{
	return op->kind == MRT_OP_PAGE_FAULT || op->kind == MRT_OP_PREFETCH;
}

/* What a worker does next is an operation of its own. */
static __always_inline void begin_attempt(struct in_flight *op)
{
	op->id = op->start_ns = bpf_ktime_get_ns();
	op->done = 0;
	op->lost = 0;
}

/* A worker's operation is watched if the process that owns the memory is. */
static __always_inline void mute_others(struct in_flight *op, u64 mm_address, u64 device)
{
	if (config.filter)
		op->muted = !is_wanted_on(device) || !is_wanted_mm(mm_address);
}

/*
 * An operation has ended. True: with an errno that was not asked for, so that
 * what was sent of it belongs to nothing.
 */
static __always_inline bool omitted(struct in_flight *op, struct call *c)
{
	struct mrt_omitted *r;

	if (is_wanted_result(c->ret))
		return false;
	c->now |= MRT_NOW_FILTERED;
	if (!(op->done & DONE_SENT))
		return true;
	r = evidence(c->hook, MRT_KIND_OMITTED, sizeof(*r));
	if (!r)
		return true;
	r->result = c->ret;
	r->kind = op->kind;
	r->reserved = 0;
	send_evidence(r, c->hook);
	return true;
}

/* An OPERATION record with all that does not depend on its kind. */
static __always_inline struct mrt_operation *operation_record(struct in_flight *op, u32 hook,
							      s64 result)
{
	struct mrt_operation *r = record(op, hook, MRT_KIND_OPERATION, sizeof(*r));
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!r)
		return NULL;
	clear_record(r, sizeof(*r));
	if (!op->unstarted) {
		r->start_ns = op->start_ns;
		r->has = MRT_HAS_START;
	}
	r->result = result;
	r->kind = op->kind;
	r->lost = op->lost;
	if (result < 0 && op->done & DONE_WITHHELD)
		r->lost++;
	if (config.plain_loads)
		read_comm(r->comm, (char *)task + bpf_core_field_offset(task->comm));
	else
		bpf_get_current_comm(r->comm, sizeof(r->comm));
	return r;
}

/*
 * Neither beginning nor return of the call was seen for which a process's thread mapped
 * pages: that something failed is told, and that it is not known what.
 */
__noinline int report_orphan(u32 hook)
{
	struct in_flight *op = in_flight();
	struct mrt_operation *r;

	if (!op || op->muted || !is_wanted_result(op->orphan_result))
		return 0;
	r = operation_record(op, hook, op->orphan_result);
	if (!r)
		return 0;
	r->umem = op->umem;
	r->request_address = op->asked.address;
	r->request_length = op->asked.length;
	r->owner_pid = r->h.pid;
	r->has |= MRT_HAS_OWNER | MRT_HAS_UNSEEN_CALLER;
	if (op->asked.umem)
		r->has |= MRT_HAS_REQUEST;
	send(r, hook);
	return 0;
}

/* As capable(CAP_IPC_LOCK): what a user namespace grants does not count. */
static __always_inline bool may_lock(struct task_struct *task)
{
	struct cred *cred = BPF_CORE_READ(task, cred);
	u64 capabilities = 0;

	bpf_probe_read_kernel(&capabilities, sizeof(capabilities),
			      (char *)cred + bpf_core_field_offset(struct cred, cap_effective));
	return capabilities >> CAP_IPC_LOCK & 1 &&
	       (u64)BPF_CORE_READ(cred, user_ns) == config.init_user_ns;
}

/* Sends the umem of an ODP operation; with umem 0 the request of a pinned registration and what may be locked. */
static __always_inline void send_umem(struct in_flight *op, u32 hook, u64 umem, u32 access)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mrt_umem *r = evidence(hook, MRT_KIND_UMEM, sizeof(*r));
	struct mm_struct *mm;

	if (!r)
		return;
	clear_record(r, sizeof(*r));
	r->umem = umem;
	r->access = access;
	if (umem) {
		r->address = umem_field(umem, UMEM_ADDRESS);
		r->length = umem_field(umem, UMEM_LENGTH);
		r->iova = umem_field(umem, UMEM_IOVA);
		r->flags |= MRT_UMEM_HAS_FIELDS;
		fill_odp(r, umem);
	} else {
		mm = BPF_CORE_READ(task, mm);
		if (mm) {
			r->pinned_vm = BPF_CORE_READ(mm, pinned_vm.counter);
			r->memlock_limit =
				BPF_CORE_READ(task, signal, rlim[RLIMIT_MEMLOCK].rlim_cur);
			r->flags |= MRT_UMEM_HAS_MEMLOCK;
			if (may_lock(task))
				r->flags |= MRT_UMEM_MAY_LOCK;
		}
	}
	send_evidence(r, hook);
}

static __always_inline void send_layer(struct in_flight *op, struct call *c)
{
	struct mrt_layer *r = evidence(c->hook, MRT_KIND_LAYER, sizeof(*r));

	if (!r)
		return;
	r->result = c->ret;
	__builtin_memcpy(r->arguments, c->a, sizeof(r->arguments));
	r->rung = c->rung;
	r->reserved = 0;
	send_evidence(r, c->hook);
}

/*
 * A function between verb and HMM has returned. NULL unless it must be recorded:
 * it failed inside an operation we follow, or every layer was asked for.
 */
static __always_inline bool to_record_in(void *ctx, struct call *c, struct in_flight *op)
{
	bool failed = has_failed(c);

	if (!op || op->muted) {
		c->now |= MRT_NOW_FILTERED;
		return false;
	}
	c->op = op;
	if (failed && withhold(op, c))
		return false;
	if (failed && op->done & DONE_REPEATS)
		return false;
	if (failed)
		send_stacks(ctx, op, c);
	return true;
}

static __always_inline struct in_flight *to_record(void *ctx, struct call *c)
{
	struct in_flight *op;

	if (!has_failed(c) && config.detail < MRT_DETAIL_LAYERS)
		return NULL;
	op = in_flight();
	return to_record_in(ctx, c, op) ? op : NULL;
}

static __always_inline struct in_flight *returned(void *ctx, struct call *c)
{
	if (has_failed(c))
		count(&c->tally->failed);
	return to_record(ctx, c);
}

/* The operation's last record has been sent, or counted. */
static __always_inline void account(struct in_flight *op, struct call *c)
{
	c->now |= op->now;
	op->now = 0;
}

#endif
