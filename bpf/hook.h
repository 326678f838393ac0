/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One handler, three programs: fexit (arguments and result in one call), or a
 * kprobe that keeps the arguments and a kretprobe that picks them up. The agent
 * loads one rung of each, by what the kernel offers (Kernel/Attaching/HookPlan.swift).
 *
 * The kernel skips a program on a CPU where another task has been preempted in the
 * middle of it. So what begins and ends an operation is there more than once
 * (ON_OPERATION, ON_AWAITED): a call escapes only when all copies are occupied, and one
 * of them is always short. Programs that take evidence may be long: while a task is
 * preempted in one, others lose evidence, never their operation. Kprobes run with
 * preemption off, and need no copies.
 */
#ifndef MRTRACE_HOOK_H
#define MRTRACE_HOOK_H

struct call {
	u64 a[6];
	s64 ret;
	u32 hook;
	u32 rung;
	u32 now;			/* MRT_NOW_…, where no operation is followed */
	struct mrt_tally *tally;	/* of this hook on this CPU */
	struct in_flight *op;		/* whose records this call makes */
};

static __always_inline void read_arguments(struct pt_regs *ctx, u64 *a)
{
	a[0] = PT_REGS_PARM1(ctx);
	a[1] = PT_REGS_PARM2(ctx);
	a[2] = PT_REGS_PARM3(ctx);
	a[3] = PT_REGS_PARM4(ctx);
	a[4] = PT_REGS_PARM5(ctx);
	a[5] = ctx->r9;	/* bpf_tracing.h of libbpf 1.1 stops at five */
}

/* Where the call of that hook's function is kept; KEPT_CALLS: nowhere. */
static __always_inline u32 kept_at(struct kept_calls *kept, u64 hook)
{
	u32 at = KEPT_CALLS;

	for (int i = KEPT_CALLS - 1; i >= 0; i--)
		if (kept->calls[i].hook == hook)
			at = i;
	barrier_var(at);
	return at;
}

static __always_inline int keep_with_task(struct pt_regs *ctx, u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);
	struct kept_calls *kept =
		bpf_task_storage_get(&kept_calls, bpf_get_current_task_btf(), NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct kept_call *call;
	u32 at;

	if (!tally)
		return 0;
	if (!kept) {
		count_untracked(hook);
		return 0;
	}
	at = kept_at(kept, hook);
	/* one that is still there was never picked up: its return was missed */
	if (at < KEPT_CALLS)
		tally->replaced++;
	else
		at = kept_at(kept, 0);
	if (at >= KEPT_CALLS) {
		count_untracked(hook);
		return 0;
	}
	tally->entered++;
	call = &kept->calls[at];
	call->hook = hook;
	read_arguments(ctx, call->a);
	return 0;
}

static __always_inline bool take_from_task(struct call *c)
{
	struct kept_calls *kept =
		bpf_task_storage_get(&kept_calls, bpf_get_current_task_btf(), NULL, 0);
	struct mrt_tally *tally = tally_of(c->hook);
	struct kept_call *call;
	u32 at;

	if (!kept || !tally)
		return false;
	at = kept_at(kept, c->hook);
	if (at >= KEPT_CALLS)
		return false;
	call = &kept->calls[at];
	__builtin_memcpy(c->a, call->a, sizeof(c->a));
	call->hook = 0;
	tally->taken++;
	return true;
}

static __always_inline int keep_in_table(struct pt_regs *ctx, u32 hook)
{
	struct call_key key = {
		.task = bpf_get_current_pid_tgid(),
		.hook = hook,
	};
	struct call_arguments value = {};
	struct mrt_tally *tally;

	read_arguments(ctx, value.a);
	if (!bpf_map_update_elem(&calls, &key, &value, BPF_NOEXIST))
		return 0;
	/* one that is still there was never picked up: its return was missed */
	if (bpf_map_update_elem(&calls, &key, &value, BPF_EXIST)) {
		count_untracked(hook);
		return 0;
	}
	tally = tally_of(hook);
	if (tally)
		tally->replaced++;
	return 0;
}

static __always_inline bool take_from_table(struct call *c)
{
	struct call_key key = {
		.task = bpf_get_current_pid_tgid(),
		.hook = c->hook,
	};
	struct call_arguments *value = bpf_map_lookup_elem(&calls, &key);

	if (!value)
		return false;
	__builtin_memcpy(c->a, value->a, sizeof(c->a));
	bpf_map_delete_elem(&calls, &key);
	return true;
}

static __always_inline int keep_arguments(struct pt_regs *ctx, u32 hook)
{
	return config.modern ? keep_with_task(ctx, hook) : keep_in_table(ctx, hook);
}

static __always_inline bool take_arguments(struct call *c)
{
	return config.modern ? take_from_task(c) : take_from_table(c);
}

/* The entry was missed, or came before the hook did. */
static __always_inline int without_entry(void *ctx, struct call *c, bool last)
{
	c->now = MRT_NOW_UNSTARTED;
	return 0;
}

static __always_inline int without_arguments(void *ctx, struct call *c)
{
	return without_entry(ctx, c, true);
}

#define ARG(i) c.a[i] = ctx[i]
#define ARGS_1 ARG(0)
#define ARGS_2 ARGS_1; ARG(1)
#define ARGS_3 ARGS_2; ARG(2)
#define ARGS_4 ARGS_3; ARG(3)
#define ARGS_5 ARGS_4; ARG(4)
#define ARGS_6 ARGS_5; ARG(5)

#define ON_KPROBE(symbol, id)                                                  \
	SEC("kprobe/" #symbol)                                                 \
	int kprobe__##symbol(struct pt_regs *ctx)                              \
	{                                                                      \
		return keep_arguments(ctx, id);                                \
	}

/*
 * Around every handler: the call is counted, and what became of it. `gate`: what
 * is no call of ours, in functions that others run too, is not even counted.
 */
static __always_inline bool always(struct call *c)
{
	return true;
}

static __always_inline bool inside(struct call *c)
{
	return in_flight() != NULL;
}

static __always_inline int call_ends(struct call *c)
{
	u32 now = c->now;

	if (c->op) {
		now |= c->op->now;
		c->op->now = 0;
		c->op->evidence = c->hook;
	}
	count_call(c->tally, now);
	return 0;
}

/*
 * A second copy of a program that takes evidence takes it where the first did not run.
 * Of what succeeds it knows nothing: looking would cost as much as the first copy.
 */
static __always_inline bool was_missed(struct call *c)
{
	struct in_flight *op = in_flight();

	if (!op || op->muted)
		return false;
	if (op->evidence == c->hook) {
		op->evidence = 0;
		return false;
	}
	c->tally = tally_of(c->hook);
	if (c->tally)
		count(&c->tally->rescued);
	return c->tally;
}

static __always_inline bool has_failed(struct call *c)
{
	return c->ret < 0 && c->ret >= -4095;
}

#define HANDLE(ctx, c, handler)                                                \
	({                                                                     \
		(c)->tally = tally_of((c)->hook);                              \
		if ((c)->tally) {                                              \
			handler(ctx, c);                                       \
			call_ends(c);                                          \
		}                                                              \
		0;                                                             \
	})

#define ON_KRETPROBE(symbol, id, ret_type, handler)                            \
	SEC("kretprobe/" #symbol)                                              \
	int kretprobe__##symbol(struct pt_regs *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
                                                                               \
		if (!take_arguments(&c))                                       \
			return HANDLE(ctx, &c, without_arguments);             \
		c.ret = (ret_type)PT_REGS_RC(ctx);                             \
		return HANDLE(ctx, &c, handler);                               \
	}

#define ON_KRETPROBE_GATED(symbol, id, ret_type, gate, handler)                \
	SEC("kretprobe/" #symbol)                                              \
	int kretprobe__##symbol(struct pt_regs *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
                                                                               \
		if (!take_arguments(&c))                                       \
			return 0;                                              \
		c.ret = (ret_type)PT_REGS_RC(ctx);                             \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;                \
	}

#define FEXIT_GATED(name, symbol, id, nargs, ret_type, gate, handler)          \
	SEC("fexit/" #symbol)                                                  \
	int name##__##symbol(unsigned long long *ctx)                          \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
                                                                               \
		ARGS_##nargs;                                                  \
		c.ret = (ret_type)ctx[nargs];                                  \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;                \
	}

#define ON_FEXIT_GATED(symbol, id, nargs, ret_type, gate, handler)             \
	FEXIT_GATED(fexit, symbol, id, nargs, ret_type, gate, handler)

#define ON_FEXIT(symbol, id, nargs, ret_type, handler)                         \
	ON_FEXIT_GATED(symbol, id, nargs, ret_type, always, handler)

/*
 * The first `nargs` arguments of a function that has grown others since. Its
 * fexit needs 5.17 (bpf_get_func_ret); before, the agent takes the kprobe.
 */
#define ON_FEXIT_ANY_GATED(symbol, id, nargs, ret_type, gate, handler)         \
	SEC("fexit/" #symbol)                                                  \
	int fexit__##symbol(unsigned long long *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
		u64 ret = 0;                                                   \
                                                                               \
		ARGS_##nargs;                                                  \
		bpf_get_func_ret(ctx, &ret);                                   \
		c.ret = (ret_type)ret;                                         \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;                \
	}

#define ON_FEXIT_ANY(symbol, id, nargs, ret_type, handler)                     \
	ON_FEXIT_ANY_GATED(symbol, id, nargs, ret_type, always, handler)

/* ret: the C type the function returns, so that an int is sign-extended. */
#define ON_EXIT(symbol, id, nargs, ret_type, handler)                          \
	ON_FEXIT(symbol, id, nargs, ret_type, handler)                         \
	ON_KPROBE(symbol, id)                                                  \
	ON_KRETPROBE(symbol, id, ret_type, handler)

#define ON_EXIT_ANY(symbol, id, nargs, ret_type, handler)                      \
	ON_FEXIT_ANY(symbol, id, nargs, ret_type, handler)                     \
	ON_KPROBE(symbol, id)                                                  \
	ON_KRETPROBE(symbol, id, ret_type, handler)

/* Run about once an operation, and decisive where it fails: there is a second copy. */
#define ON_EXIT_TWICE(symbol, id, nargs, ret_type, gate, handler)              \
	ON_EXIT(symbol, id, nargs, ret_type, handler)                          \
	static __always_inline bool gate2__##symbol(struct call *c)            \
	{                                                                      \
		return gate(c) && was_missed(c);                               \
	}                                                                      \
	FEXIT_GATED(fexit2, symbol, id, nargs, ret_type, gate2__##symbol, handler)

/* Not RDMA's own: others run it too, for whom a kprobe keeps no arguments. */
#define ON_KPROBE_INSIDE(symbol, id)                                           \
	SEC("kprobe/" #symbol)                                                 \
	int kprobe__##symbol(struct pt_regs *ctx)                              \
	{                                                                      \
		return in_flight() ? keep_arguments(ctx, id) : 0;              \
	}

#define ENTRY_PROGRAM(name, symbol, id, nargs, handler)                        \
	SEC("fentry/" #symbol)                                                 \
	int name##__##symbol(unsigned long long *ctx)                          \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
									       \
		ARGS_##nargs;                                                  \
		return handler(ctx, &c);                                       \
	}

#define EXIT_PROGRAM(name, symbol, id, nargs, ret_type, handler)               \
	SEC("fexit/" #symbol)                                                  \
	int name##__##symbol(unsigned long long *ctx)                          \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
									       \
		ARGS_##nargs;                                                  \
		c.ret = (ret_type)ctx[nargs];                                  \
		return handler(ctx, &c);                                       \
	}

/* kprobe__ does the entry's work as well. */
#define ENTRY_KPROBE(symbol, id, handler)                                      \
	SEC("kprobe/" #symbol)                                                 \
	int kprobe__##symbol(struct pt_regs *ctx)                              \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
									       \
		keep_arguments(ctx, id);                                       \
		read_arguments(ctx, c.a);                                      \
		return handler(ctx, &c);                                       \
	}

/* Entry and exit both matter, for no operation. */
#define ON_ENTRY_EXIT(symbol, id, nargs, ret_type, entry, handler)             \
	ENTRY_PROGRAM(fentry, symbol, id, nargs, entry)                        \
	ON_FEXIT(symbol, id, nargs, ret_type, handler)                         \
	ENTRY_KPROBE(symbol, id, entry)                                        \
	ON_KRETPROBE(symbol, id, ret_type, handler)

/*
 * The copies of a program at an entry, or at a return. The first that runs for a call
 * does the work and leaves a mark, by which the others know that it is done: on its CPU,
 * which is quick to read, and with the task, which may have been moved. For how many
 * calls one did, and how often the first copy ran, is counted: with what the kernel
 * skipped of it that tells for how many none did (Kernel/Attaching/SkippedRuns.swift).
 */
enum copy {
	COPY_ONLY,		/* there is no other */
	COPY_FIRST,
	COPY_MIDDLE,
	COPY_LAST,
};

static __always_inline struct marks *marks_here(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&marks, &key);
}

/* Another copy has begun this call, whose context is `ctx`. */
static __always_inline bool has_begun(void *ctx, u32 hook, enum copy copy)
{
	struct marks *here;
	struct in_flight *op;

	if (copy != COPY_LAST)
		return false;
	here = marks_here();
	if (here && here->begun == (u64)ctx) {
		here->begun = 0;
		return true;
	}
	op = entry_of_task(0);
	return op && op->begun == hook;
}

static __always_inline void mark_begun(void *ctx, struct in_flight *op, u32 hook)
{
	struct marks *here = marks_here();

	op->begun = hook;
	if (here) {
		here->begun = (u64)ctx;
		/* of an earlier call */
		here->ended = 0;
	}
}

#define BEGIN(ctx, c, copy, entry)                                             \
	({                                                                     \
		struct in_flight *op_ = NULL;                                  \
									       \
		if (!has_begun(ctx, (c)->hook, copy))                          \
			op_ = entry(ctx, c);                                   \
		(c)->tally = op_ ? tally_of((c)->hook) : NULL;                 \
		if ((c)->tally) {                                              \
			count(&(c)->tally->begun);                             \
			if (copy != COPY_LAST)                                 \
				count(&(c)->tally->begun_first);               \
			if (copy == COPY_FIRST)                                \
				mark_begun(ctx, op_, (c)->hook);               \
		}                                                              \
		0;                                                             \
	})

/* Another copy has ended this call on this CPU: what the last one has to do as well is done here. */
static __always_inline bool has_ended_here(void *ctx, enum copy copy)
{
	struct marks *here;

	if (copy < COPY_MIDDLE)
		return false;
	here = marks_here();
	if (!here || here->ended != (u64)ctx)
		return false;
	if (copy == COPY_LAST) {
		here->ended = 0;
		if (here->wakes)
			wake_agent();
		here->wakes = 0;
	}
	return true;
}

/* The same, wherever. Counts the calls that one has seen. */
static __always_inline bool has_ended(struct in_flight *op, struct call *c, enum copy copy)
{
	bool handled = copy >= COPY_MIDDLE && op->ended == c->hook;

	if (copy == COPY_LAST)
		op->ended = 0;
	if (handled)
		return true;
	c->tally = tally_of(c->hook);
	if (!c->tally)
		return true;
	count(&c->tally->ended);
	if (copy < COPY_MIDDLE)
		count(&c->tally->ended_first);
	return false;
}

static __always_inline void mark_ended(void *ctx, struct in_flight *op, u32 hook)
{
	struct marks *here = marks_here();

	op->ended = hook;
	/* elsewhere an entry may have to be deleted as well */
	if (here && config.modern) {
		here->ended = (u64)ctx;
		here->wakes = op->wakes;
		op->wakes = 0;
	}
}

static __always_inline bool is_wanted_caller(void);	/* filter.h */

static __always_inline struct in_flight *entry_at_end(u32 hook)
{
	struct in_flight *op = entry_of_task(0);

	return op || !is_wanted_caller() ? op : entry_or_new(hook);
}

#define IS_LAST(copy) ((copy) == COPY_LAST || (copy) == COPY_ONLY)

/*
 * `take` takes evidence of a failure. `finish` handles a return: true where this call is
 * part of what the task has in flight. `unseen` is for a call of which nothing is. Waking
 * the agent is for the last copy.
 */
#define END_HERE(ctx, c, copy, take, finish, unseen)                           \
	({                                                                     \
		struct in_flight *op_ = entry_at_end((c)->hook);               \
									       \
		if (op_ ? !has_ended(op_, c, copy) :                           \
			  IS_LAST(copy) && ((c)->tally = tally_of((c)->hook))) { \
			if (op_ && op_->kind)                                  \
				take(ctx, c, op_);                             \
			if (!op_ || !op_->kind ||                              \
			    !finish(ctx, c, op_, IS_LAST(copy)))               \
				unseen(ctx, c, IS_LAST(copy));                 \
			call_ends(c);                                          \
			if (op_ && !IS_LAST(copy))                             \
				mark_ended(ctx, op_, (c)->hook);               \
		}                                                              \
		if (IS_LAST(copy) && op_)                                      \
			after_end(op_);                                        \
		0;                                                             \
	})

#define END(ctx, c, copy, take, finish, unseen)                                \
	(has_ended_here(ctx, copy) ? 0 :                                       \
	 END_HERE(ctx, c, copy, take, finish, unseen))

static __always_inline int no_evidence(void *ctx, struct call *c, struct in_flight *op)
{
	return 0;
}

/* Only the copy that takes no evidence saw this failure end. */
static __always_inline int evidence_missed(void *ctx, struct call *c, struct in_flight *op)
{
	if (has_failed(c))
		count(&c->tally->bare);
	return 0;
}

#define COPY_OF_BEGIN(name, symbol, copy, entry)                               \
	static __always_inline int name##__##symbol##_(void *ctx, struct call *c) \
	{                                                                      \
		return BEGIN(ctx, c, copy, entry);                             \
	}

#define COPY_OF_END(name, symbol, copy, take, finish, unseen)                  \
	static __always_inline int name##__##symbol##_(void *ctx, struct call *c) \
	{                                                                      \
		return END(ctx, c, copy, take, finish, unseen);                \
	}

#define OPERATION_KRETPROBE(symbol, id, ret_type, take, finish, unseen)        \
	COPY_OF_END(kretprobe, symbol, COPY_ONLY, take, finish, unseen)        \
	SEC("kretprobe/" #symbol)                                              \
	int kretprobe__##symbol(struct pt_regs *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
                                                                               \
		if (!take_arguments(&c))                                       \
			return HANDLE(ctx, &c, without_arguments);             \
		c.ret = (ret_type)PT_REGS_RC(ctx);                             \
		return kretprobe__##symbol##_(ctx, &c);                        \
	}

#define OPERATION(symbol, id, nargs, ret_type, entry, first, take, take_last, finish, unseen) \
	COPY_OF_BEGIN(begin, symbol, first, entry)                             \
	COPY_OF_BEGIN(kprobe, symbol, COPY_ONLY, entry)                        \
	COPY_OF_END(end, symbol, COPY_FIRST, take, finish, unseen)             \
	COPY_OF_END(end3, symbol, COPY_LAST, take_last, finish, unseen)        \
	ENTRY_PROGRAM(fentry, symbol, id, nargs, begin__##symbol##_)           \
	EXIT_PROGRAM(fexit, symbol, id, nargs, ret_type, end__##symbol##_)     \
	EXIT_PROGRAM(end3, symbol, id, nargs, ret_type, end3__##symbol##_)     \
	ENTRY_KPROBE(symbol, id, kprobe__##symbol##_)                          \
	OPERATION_KRETPROBE(symbol, id, ret_type, take, finish, unseen)

/* Where an operation may begin and end: one copy begins it, two end it, and either takes evidence. */
#define ON_OPERATION(symbol, id, nargs, ret_type, entry, take, finish, unseen) \
	OPERATION(symbol, id, nargs, ret_type, entry, COPY_ONLY, take, take,   \
		  finish, unseen)

/*
 * What a process waits for: nothing that failed may go unsaid. Two copies begin it. Of
 * three that end it the last takes no evidence, so that it is short.
 */
#define ON_AWAITED(symbol, id, nargs, ret_type, entry, take, finish, unseen)   \
	OPERATION(symbol, id, nargs, ret_type, entry, COPY_FIRST, take,        \
		  evidence_missed, finish, unseen)                             \
	COPY_OF_BEGIN(begin2, symbol, COPY_LAST, entry)                        \
	COPY_OF_END(end2, symbol, COPY_MIDDLE, take, finish, unseen)           \
	ENTRY_PROGRAM(fentry2, symbol, id, nargs, begin2__##symbol##_)         \
	EXIT_PROGRAM(end2, symbol, id, nargs, ret_type, end2__##symbol##_)

#endif
