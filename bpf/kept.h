/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arguments that a kprobe keeps for its kretprobe.
 */
#ifndef MRTRACE_KEPT_H
#define MRTRACE_KEPT_H

/* One call of a watched function, as its handler sees it. */
struct call {
	u64 a[6];
	s64 ret;
	u32 hook;
	u32 rung;
	u32 now; /* MRT_NOW_…, where no operation is followed */
	struct mrt_tally *tally; /* of this hook on this CPU */
	struct in_flight *op; /* whose records this call makes */
};

/*
 * kprobe twins keep the arguments from entry to return: with their task where the
 * kernel can (config.task_storage), which is a fifth of the work, else in a table.
 */
#define KEPT_CALLS 8 /* one inside the other, and those whose return was missed */

struct kept_call {
	u64 hook; /* 0 = none */
	u64 a[6];
};

struct kept_calls {
	struct kept_call calls[KEPT_CALLS];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept_calls);
} kept_calls SEC(".maps");

struct call_key {
	u64 task;
	u64 hook;
};

struct call_arguments {
	u64 a[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, struct call_arguments);
} calls SEC(".maps");

static __always_inline void read_arguments(struct pt_regs *ctx, u64 *a)
{
	a[0] = PT_REGS_PARM1(ctx);
	a[1] = PT_REGS_PARM2(ctx);
	a[2] = PT_REGS_PARM3(ctx);
	a[3] = PT_REGS_PARM4(ctx);
	a[4] = PT_REGS_PARM5(ctx);
	a[5] = ctx->r9; /* bpf_tracing.h of libbpf 1.1 stops at five */
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
	struct kept_calls *kept = bpf_task_storage_get(&kept_calls, bpf_get_current_task_btf(),
						       NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
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
	return config.task_storage ? keep_with_task(ctx, hook) : keep_in_table(ctx, hook);
}

static __always_inline bool take_arguments(struct call *c)
{
	return config.task_storage ? take_from_task(c) : take_from_table(c);
}

#endif
