/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One handler, three programs: fexit (arguments and result in one call), or a
 * kprobe that keeps the arguments and a kretprobe that picks them up. The agent
 * loads one rung of each, by what the kernel offers (Kernel/HookPlan.swift).
 * Where the entry matters too, fentry and fexit, or from 7.0 on one program for
 * both, an fsession: the kernel goes through all functions for each that is attached.
 */
#ifndef MRTRACE_HOOK_H
#define MRTRACE_HOOK_H

struct call {
	u64 a[6];
	s64 ret;
	u32 hook;
	u32 rung;
	struct mrt_tally *tally;	/* of this hook on this CPU */
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
static __always_inline int without_entry(void *ctx, struct call *c)
{
	c->tally->now = MRT_NOW_UNSTARTED;
	return 0;
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

#define HANDLE_COUNTED(ctx, c, handler)                                        \
	({                                                                     \
		call_begins((c)->tally);                                       \
		handler(ctx, c);                                               \
		call_ends((c)->tally);                                         \
	})

#define HANDLE(ctx, c, handler)                                                \
	({                                                                     \
		(c)->tally = tally_of((c)->hook);                              \
		(c)->tally ? HANDLE_COUNTED(ctx, c, handler) : 0;              \
	})

#define ON_KRETPROBE(symbol, id, ret_type, handler)                            \
	SEC("kretprobe/" #symbol)                                              \
	int kretprobe__##symbol(struct pt_regs *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
                                                                               \
		if (!take_arguments(&c))                                       \
			return HANDLE(ctx, &c, without_entry);                 \
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

#define ON_FEXIT_GATED(symbol, id, nargs, ret_type, gate, handler)             \
	SEC("fexit/" #symbol)                                                  \
	int fexit__##symbol(unsigned long long *ctx)                           \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
                                                                               \
		ARGS_##nargs;                                                  \
		c.ret = (ret_type)ctx[nargs];                                  \
		return gate(&c) ? HANDLE(ctx, &c, handler) : 0;                \
	}

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

/* Not RDMA's own: others run it too, for whom a kprobe keeps no arguments. */
#define ON_KPROBE_INSIDE(symbol, id)                                           \
	SEC("kprobe/" #symbol)                                                 \
	int kprobe__##symbol(struct pt_regs *ctx)                              \
	{                                                                      \
		return in_flight() ? keep_arguments(ctx, id) : 0;              \
	}

/*
 * Runs that the kernel skips it counts together, those at entries and those at
 * returns. What ran is counted here, for the agent to tell them apart. True: this is
 * an entry.
 */
static __always_inline bool session_begins(void *ctx, struct mrt_tally *tally)
{
	u64 *entered = bpf_session_cookie(ctx);

	if (bpf_session_is_return(ctx)) {
		if (!*entered)
			tally->unentered++;
		return false;
	}
	*entered = 1;
	tally->entered++;
	return true;
}

/* Entry and exit both matter: kprobe__ does the entry's work as well. */
#define ON_ENTRY_EXIT(symbol, id, nargs, ret_type, entry, handler)             \
	SEC("fentry/" #symbol)                                                 \
	int fentry__##symbol(unsigned long long *ctx)                          \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
									       \
		ARGS_##nargs;                                                  \
		return entry(ctx, &c);                                         \
	}                                                                      \
	SEC("fsession/" #symbol)                                               \
	int fsession__##symbol(unsigned long long *ctx)                        \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_FEXIT };        \
									       \
		ARGS_##nargs;                                                  \
		c.tally = tally_of(id);                                        \
		if (!c.tally)                                                  \
			return 0;                                              \
		if (session_begins(ctx, c.tally))                              \
			return entry(ctx, &c);                                 \
		c.ret = (ret_type)ctx[nargs];                                  \
		return HANDLE_COUNTED(ctx, &c, handler);                       \
	}                                                                      \
	ON_FEXIT(symbol, id, nargs, ret_type, handler)                         \
	SEC("kprobe/" #symbol)                                                 \
	int kprobe__##symbol(struct pt_regs *ctx)                              \
	{                                                                      \
		struct call c = { .hook = id, .rung = MRT_RUNG_KPROBE };       \
									       \
		keep_arguments(ctx, id);                                       \
		read_arguments(ctx, c.a);                                      \
		return entry(ctx, &c);                                         \
	}                                                                      \
	ON_KRETPROBE(symbol, id, ret_type, handler)

#endif
