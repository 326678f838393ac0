/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks' counters, one CPU's each: what became of every call. */
#ifndef MRTRACE_TALLY_H
#define MRTRACE_TALLY_H

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MRT_HOOK_COUNT);
	__type(key, u32);
	__type(value, struct mrt_tally);
} counters SEC(".maps");

static __always_inline struct mrt_tally *tally_of(u32 hook)
{
	return bpf_map_lookup_elem(&counters, &hook);
}

/*
 * Counters of a hook are one CPU's own, but a program may be preempted in the middle
 * of another one of the same hook, so adding is one instruction. The builtin would
 * fetch as well, which kernels before 5.12 refuse.
 */
static __always_inline void add_atomic(u64 *to, u64 more)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(to), "r"(more) : "memory");
}

static __always_inline void count(u64 *counter)
{
	add_atomic(counter, 1);
}

static __always_inline void count_untracked(u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	if (tally)
		count(&tally->untracked);
}

/* A call is one of reported, cut, aggregated, filtered, unstarted, by its MRT_NOW_…. */
static __always_inline void count_call(struct mrt_tally *tally, u32 now)
{
	count(&tally->seen);
	if (now & MRT_NOW_CUT)
		count(&tally->cut);
	else if (now & MRT_NOW_SENT)
		count(&tally->reported);
	else if (now & MRT_NOW_UNSTARTED)
		count(&tally->unstarted);
	else if (now & MRT_NOW_FILTERED)
		count(&tally->filtered);
	else
		count(&tally->aggregated);
}

#endif
