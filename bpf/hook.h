/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One handler, three programs: fexit (arguments and result in one call), or a
 * kprobe that keeps the arguments and a kretprobe that picks them up. The agent
 * loads one rung of each, by what the kernel offers (Kernel/Attaching/HookPlan.swift).
 */
#ifndef MRTRACE_HOOK_H
#define MRTRACE_HOOK_H

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
#define ARGS_2  \
	ARGS_1; \
	ARG(1)
#define ARGS_3  \
	ARGS_2; \
	ARG(2)
#define ARGS_4  \
	ARGS_3; \
	ARG(3)
#define ARGS_5  \
	ARGS_4; \
	ARG(4)
#define ARGS_6  \
	ARGS_5; \
	ARG(5)

#define ON_KPROBE(symbol, id)                     \
	SEC("kprobe/" #symbol)                    \
	int kprobe__##symbol(struct pt_regs *ctx) \
	{                                         \
		return keep_arguments(ctx, id);   \
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

static __always_inline int call_ends(void *ctx, struct call *c)
{
	u32 now = c->now;

	if (c->op) {
		now |= c->op->now;
		c->op->now = 0;
		c->op->evidence = c->hook;
		mark_evidence(ctx, c->hook);
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

static __always_inline bool is_errno(s64 ret)
{
	return ret < 0 && ret >= -4095;
}

static __always_inline bool has_failed(struct call *c)
{
	return is_errno(c->ret);
}

/* A call of which nothing is recorded is counted, and no more. */
static __always_inline bool only_counts(s64 ret)
{
	return config.detail < MRT_DETAIL_LAYERS && !is_errno(ret);
}

static __always_inline int count_success(u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	if (tally)
		count_call(tally, 0);
	return 0;
}

static __always_inline bool never(s64 ret)
{
	return false;
}

#define HANDLE(ctx, c, handler)                   \
	({                                        \
		(c)->tally = tally_of((c)->hook); \
		if ((c)->tally) {                 \
			handler(ctx, c);          \
			call_ends(ctx, c);        \
		}                                 \
		0;                                \
	})

#define ON_KRETPROBE(symbol, id, ret_type, handler)                      \
	SEC("kretprobe/" #symbol)                                        \
	int kretprobe__##symbol(struct pt_regs *ctx)                     \
	{                                                                \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE }; \
                                                                         \
		if (!take_arguments(&c))                                 \
			return HANDLE(ctx, &c, without_arguments);       \
		c.ret = (ret_type)PT_REGS_RC(ctx);                       \
		return HANDLE(ctx, &c, handler);                         \
	}

#define ON_KRETPROBE_GATED(symbol, id, ret_type, gate, handler)          \
	SEC("kretprobe/" #symbol)                                        \
	int kretprobe__##symbol(struct pt_regs *ctx)                     \
	{                                                                \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE }; \
                                                                         \
		if (!take_arguments(&c))                                 \
			return 0;                                        \
		c.ret = (ret_type)PT_REGS_RC(ctx);                       \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;          \
	}

#define CALL(id, nargs, result)                                 \
	struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT }; \
                                                                \
	ARGS_##nargs;                                           \
	c.ret = result

#define ON_FEXIT_GATED(symbol, id, nargs, ret_type, gate, handler) \
	SEC("fexit/" #symbol)                                      \
	int fexit__##symbol(unsigned long long *ctx)               \
	{                                                          \
		CALL(id, nargs, (ret_type)ctx[nargs]);             \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;    \
	}

/* `quick` says by the result alone that a call is only counted: then that is all that runs. */
#define ON_FEXIT(symbol, id, nargs, ret_type, quick, handler) \
	SEC("fexit/" #symbol)                                 \
	int fexit__##symbol(unsigned long long *ctx)          \
	{                                                     \
		if (quick((ret_type)ctx[nargs]))              \
			return count_success(id);             \
		CALL(id, nargs, (ret_type)ctx[nargs]);        \
		return HANDLE(ctx, &c, handler);              \
	}

/*
 * The first `nargs` arguments of a function that has grown others since. Its
 * fexit needs 5.17 (bpf_get_func_ret); before, the agent takes the kprobe.
 */
#define ON_FEXIT_ANY_GATED(symbol, id, nargs, ret_type, gate, handler) \
	SEC("fexit/" #symbol)                                          \
	int fexit__##symbol(unsigned long long *ctx)                   \
	{                                                              \
		u64 ret = 0;                                           \
                                                                       \
		bpf_get_func_ret(ctx, &ret);                           \
		CALL(id, nargs, (ret_type)ret);                        \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;        \
	}

#define ON_FEXIT_ANY(symbol, id, nargs, ret_type, handler) \
	SEC("fexit/" #symbol)                              \
	int fexit__##symbol(unsigned long long *ctx)       \
	{                                                  \
		u64 ret = 0;                               \
                                                           \
		bpf_get_func_ret(ctx, &ret);               \
		if (only_counts((ret_type)ret))            \
			return count_success(id);          \
		CALL(id, nargs, (ret_type)ret);            \
		return HANDLE(ctx, &c, handler);           \
	}

/* ret: the C type the function returns, so that an int is sign-extended. */
#define ON_EXIT(symbol, id, nargs, ret_type, handler)               \
	ON_FEXIT(symbol, id, nargs, ret_type, only_counts, handler) \
	ON_KPROBE(symbol, id)                                       \
	ON_KRETPROBE(symbol, id, ret_type, handler)

/* The handler looks at what succeeds as well. */
#define ON_EVERY_EXIT(symbol, id, nargs, ret_type, handler)   \
	ON_FEXIT(symbol, id, nargs, ret_type, never, handler) \
	ON_KPROBE(symbol, id)                                 \
	ON_KRETPROBE(symbol, id, ret_type, handler)

#define ON_EXIT_ANY(symbol, id, nargs, ret_type, handler)  \
	ON_FEXIT_ANY(symbol, id, nargs, ret_type, handler) \
	ON_KPROBE(symbol, id)                              \
	ON_KRETPROBE(symbol, id, ret_type, handler)

/* Run about once an operation, and decisive where it fails: there is a second copy. */
#define ON_EXIT_TWICE(symbol, id, nargs, ret_type, failed, handler)         \
	ON_EXIT(symbol, id, nargs, ret_type, handler)                       \
	SEC("fexit/" #symbol)                                               \
	int fexit2__##symbol(unsigned long long *ctx)                       \
	{                                                                   \
		if (!failed((ret_type)ctx[nargs]) || has_evidence(ctx, id)) \
			return 0;                                           \
		CALL(id, nargs, (ret_type)ctx[nargs]);                      \
		return was_missed(&c) ? HANDLE(ctx, &c, handler) : 0;       \
	}

/* Not RDMA's own: others run it too, for whom a kprobe keeps no arguments. */
#define ON_KPROBE_INSIDE(symbol, id)                              \
	SEC("kprobe/" #symbol)                                    \
	int kprobe__##symbol(struct pt_regs *ctx)                 \
	{                                                         \
		return in_flight() ? keep_arguments(ctx, id) : 0; \
	}

/* `done` says that another copy of the program has done it. */
#define ENTRY_PROGRAM(name, symbol, id, nargs, done, handler) \
	SEC("fentry/" #symbol)                                \
	int name##__##symbol(unsigned long long *ctx)         \
	{                                                     \
		if (done(ctx))                                \
			return 0;                             \
		CALL(id, nargs, 0);                           \
		return handler(ctx, &c);                      \
	}

#define EXIT_PROGRAM(name, symbol, id, nargs, ret_type, done, handler) \
	SEC("fexit/" #symbol)                                          \
	int name##__##symbol(unsigned long long *ctx)                  \
	{                                                              \
		if (done(ctx))                                         \
			return 0;                                      \
		CALL(id, nargs, (ret_type)ctx[nargs]);                 \
		return handler(ctx, &c);                               \
	}

/* kprobe__ does the entry's work as well. */
#define ENTRY_KPROBE(symbol, id, handler)                                \
	SEC("kprobe/" #symbol)                                           \
	int kprobe__##symbol(struct pt_regs *ctx)                        \
	{                                                                \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE }; \
                                                                         \
		keep_arguments(ctx, id);                                 \
		read_arguments(ctx, c.a);                                \
		return handler(ctx, &c);                                 \
	}

static __always_inline bool nothing_done(void *ctx)
{
	return false;
}

/* Entry and exit both matter, for no operation. */
#define ON_ENTRY_EXIT(symbol, id, nargs, ret_type, entry, handler)    \
	ENTRY_PROGRAM(fentry, symbol, id, nargs, nothing_done, entry) \
	ON_FEXIT(symbol, id, nargs, ret_type, never, handler)         \
	ENTRY_KPROBE(symbol, id, entry)                               \
	ON_KRETPROBE(symbol, id, ret_type, handler)

#endif
