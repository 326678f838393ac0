/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that begin and end operations. The kernel skips a program on a CPU where
 * another task has been preempted in the middle of it. So what begins and ends an
 * operation is there more than once (ON_OPERATION, ON_AWAITED): a call escapes only when
 * all copies are occupied, and one of them is always short. Programs that take evidence
 * may be long: while a task is preempted in one, others lose evidence, never their
 * operation. Kprobes run with preemption off, and need no copies.
 */
#ifndef MRTRACE_COPIES_H
#define MRTRACE_COPIES_H

/*
 * The copies of a program at an entry, or at a return. The first that runs for a call
 * does the work and leaves a mark, by which the others know that it is done: on its CPU,
 * which is quick to read, and with the task, which may have been moved. For how many
 * calls one did, and how often the first copy ran, is counted: with what the kernel
 * skipped of it that tells for how many none did (Kernel/Attaching/SkippedRuns.swift).
 */
enum copy {
	COPY_ONLY, /* there is no other */
	COPY_FIRST,
	COPY_MIDDLE,
	COPY_LAST,
};

/* Another copy has begun this call, on whatever CPU. */
static __always_inline bool has_begun(u32 hook, enum copy copy)
{
	struct in_flight *op;

	if (copy != COPY_LAST)
		return false;
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
		here->evidence = 0;
	}
}

#define BEGIN(ctx, c, copy, entry)                               \
	({                                                       \
		struct in_flight *op_ = NULL;                    \
                                                                 \
		if (!has_begun((c)->hook, copy))                 \
			op_ = entry(ctx, c);                     \
		(c)->tally = op_ ? tally_of((c)->hook) : NULL;   \
		if ((c)->tally) {                                \
			count(&(c)->tally->begun);               \
			if (copy != COPY_LAST)                   \
				count(&(c)->tally->begun_first); \
			if (copy == COPY_FIRST)                  \
				mark_begun(ctx, op_, (c)->hook); \
			if (copy == COPY_LAST)                   \
				forget_evidence();               \
		}                                                \
		0;                                               \
	})

/* Another copy has ended this call, on whatever CPU. Counts the calls that one has seen. */
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
	if (here && config.task_storage) {
		here->ended = (u64)ctx;
		here->wakes = op->wakes;
		op->wakes = 0;
	}
}

static __always_inline bool is_wanted_caller(void); /* filter.h */

static __always_inline struct in_flight *entry_at_end(u32 hook)
{
	struct in_flight *op = entry_of_task(0);

	return op || !is_wanted_caller() ? op : entry_or_new(hook);
}

/* Of a return, after the last copy of its program: what is left to do. */
static __always_inline void after_end(struct in_flight *op)
{
	u64 task;

	if (op->wakes) {
		op->wakes = 0;
		wake_agent();
	}
	if (config.task_storage || op->resident || op->kind)
		return;
	task = bpf_get_current_pid_tgid();
	bpf_map_delete_elem(&operations, &task);
}

#define IS_LAST(copy) ((copy) == COPY_LAST || (copy) == COPY_ONLY)

/*
 * `take` takes evidence of a failure. `finish` handles a return: true where this call is
 * part of what the task has in flight. `unseen` is for a call of which nothing is. Waking
 * the agent is for the last copy.
 */
#define END(ctx, c, copy, take, finish, unseen)                                        \
	({                                                                             \
		struct in_flight *op_ = entry_at_end((c)->hook);                       \
                                                                                       \
		if (op_ ? !has_ended(op_, c, copy)                                     \
			: IS_LAST(copy) && ((c)->tally = tally_of((c)->hook))) {       \
			if (op_ && op_->kind)                                          \
				take(ctx, c, op_);                                     \
			if (!op_ || !op_->kind || !finish(ctx, c, op_, IS_LAST(copy))) \
				unseen(ctx, c, IS_LAST(copy));                         \
			call_ends(ctx, c);                                             \
			if (op_ && !IS_LAST(copy))                                     \
				mark_ended(ctx, op_, (c)->hook);                       \
		}                                                                      \
		if (IS_LAST(copy) && op_)                                              \
			after_end(op_);                                                \
		0;                                                                     \
	})

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

#define COPY_OF_BEGIN(name, symbol, copy, entry)                                  \
	static __always_inline int name##__##symbol##_(void *ctx, struct call *c) \
	{                                                                         \
		return BEGIN(ctx, c, copy, entry);                                \
	}

#define COPY_OF_END(name, symbol, copy, take, finish, unseen)                     \
	static __always_inline int name##__##symbol##_(void *ctx, struct call *c) \
	{                                                                         \
		return END(ctx, c, copy, take, finish, unseen);                   \
	}

#define OPERATION_KRETPROBE(symbol, id, ret_type, take, finish, unseen)  \
	COPY_OF_END(kretprobe, symbol, COPY_ONLY, take, finish, unseen)  \
	SEC("kretprobe/" #symbol)                                        \
	int kretprobe__##symbol(struct pt_regs *ctx)                     \
	{                                                                \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE }; \
                                                                         \
		if (!take_arguments(&c))                                 \
			return HANDLE(ctx, &c, without_arguments);       \
		c.ret = (ret_type)PT_REGS_RC(ctx);                       \
		return kretprobe__##symbol##_(ctx, &c);                  \
	}

#define OPERATION(symbol, id, nargs, ret_type, entry, first, take, take_last, finish, unseen) \
	COPY_OF_BEGIN(begin, symbol, first, entry)                                            \
	COPY_OF_BEGIN(kprobe, symbol, COPY_ONLY, entry)                                       \
	COPY_OF_END(end, symbol, COPY_FIRST, take, finish, unseen)                            \
	COPY_OF_END(end3, symbol, COPY_LAST, take_last, finish, unseen)                       \
	ENTRY_PROGRAM(fentry, symbol, id, nargs, nothing_done, begin__##symbol##_)            \
	EXIT_PROGRAM(fexit, symbol, id, nargs, ret_type, nothing_done, end__##symbol##_)      \
	EXIT_PROGRAM(end3, symbol, id, nargs, ret_type, all_ended_here, end3__##symbol##_)    \
	ENTRY_KPROBE(symbol, id, kprobe__##symbol##_)                                         \
	OPERATION_KRETPROBE(symbol, id, ret_type, take, finish, unseen)

/* Where an operation may begin and end: one copy begins it, two end it, and either takes evidence. */
#define ON_OPERATION(symbol, id, nargs, ret_type, entry, take, finish, unseen) \
	OPERATION(symbol, id, nargs, ret_type, entry, COPY_ONLY, take, take, finish, unseen)

/*
 * What a process waits for: nothing that failed may go unsaid. Two copies begin it. Of
 * three that end it the last takes no evidence, so that it is short.
 */
#define ON_AWAITED(symbol, id, nargs, ret_type, entry, take, finish, unseen)                     \
	OPERATION(symbol, id, nargs, ret_type, entry, COPY_FIRST, take, evidence_missed, finish, \
		  unseen)                                                                        \
	COPY_OF_BEGIN(begin2, symbol, COPY_LAST, entry)                                          \
	COPY_OF_END(end2, symbol, COPY_MIDDLE, take, finish, unseen)                             \
	ENTRY_PROGRAM(fentry2, symbol, id, nargs, begun_here, begin2__##symbol##_)               \
	EXIT_PROGRAM(end2, symbol, id, nargs, ret_type, ended_here, end2__##symbol##_)

#endif
