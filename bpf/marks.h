/* SPDX-License-Identifier: GPL-2.0-only */
/* By what one copy of a program knows that another has done its work (copies.h). */
#ifndef MRTRACE_MARKS_H
#define MRTRACE_MARKS_H

/*
 * What a copy of a program leaves on its CPU for the next one (hook.h): the context of
 * the call, which is the same for all programs of a call, and lies on its task's stack.
 */
struct marks {
	u64 begun;
	u64 ended;
	u64 evidence; /* of a failure has been taken … */
	u64 evidence_hook; /* … by this hook's program: functions may share a context */
	u64 wakes; /* waking the agent is left to the last copy */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct marks);
} marks SEC(".maps");

static __always_inline struct marks *marks_here(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&marks, &key);
}

static __always_inline void mark_evidence(void *ctx, u32 hook)
{
	struct marks *here = marks_here();

	if (!here)
		return;
	here->evidence = (u64)ctx;
	here->evidence_hook = hook;
}

/* What is marked is of an earlier call, which may have had the same context. */
static __always_inline void forget_evidence(void)
{
	struct marks *here = marks_here();

	if (here)
		here->evidence = 0;
}

/* The first copy of a program has taken the evidence of this call. */
static __always_inline bool has_evidence(void *ctx, u32 hook)
{
	struct marks *here = marks_here();

	if (!here || here->evidence != (u64)ctx || here->evidence_hook != hook)
		return false;
	here->evidence = 0;
	return true;
}

/* Another copy has begun this call, whose context is `ctx`, on this CPU. */
static __always_inline bool begun_here(void *ctx)
{
	struct marks *here = marks_here();

	if (!here || here->begun != (u64)ctx)
		return false;
	here->begun = 0;
	return true;
}

/* Another copy has ended this call on this CPU. */
static __always_inline bool ended_here(void *ctx)
{
	struct marks *here = marks_here();

	return here && here->ended == (u64)ctx;
}

/* The same, for the last copy: what it has to do as well is done here. */
static __always_inline bool all_ended_here(void *ctx)
{
	struct marks *here = marks_here();

	if (!here || here->ended != (u64)ctx)
		return false;
	here->ended = 0;
	if (here->wakes)
		wake_agent();
	here->wakes = 0;
	return true;
}

#endif
