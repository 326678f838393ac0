/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operation in flight on each task: what is known of it, and what of it has been
 * recorded already.
 */
#ifndef MRTRACE_IN_FLIGHT_H
#define MRTRACE_IN_FLIGHT_H

/* Evidence already taken in this attempt, so that callers do not repeat it. */
#define DONE_STACK   (1u << 0)
#define DONE_MAPPING (1u << 1)
#define DONE_ENTRIES (1u << 2)
/* With a filter by errno: records of the operation were sent. */
#define DONE_SENT (1u << 3)
/* With a filter by errno: an inner function's own errno was not asked for, so its evidence was not sent. */
#define DONE_WITHHELD (1u << 4)
/* A callback refused, and the range fault around it still has to send what (`refused`). */
#define DONE_UNSENT (1u << 5)
/* The operation repeats an earlier failure, `lender`, and shares its evidence (repeats.h). */
#define DONE_REPEATS (1u << 6)
/* Later failures may repeat this one: `asking` says by what they are known. */
#define DONE_LENDS   (1u << 7)
#define DONE_FILTERS (DONE_SENT | DONE_WITHHELD)

/* What an operation asked ib_umem_odp_map_dma_and_lock() for. */
struct asked {
	u64 umem;
	u64 address;
	u64 length;
	u32 access;
	u32 fault;
};

/*
 * All that decided a failure, and that its evidence depends on: two failures for which
 * this is the same have the same evidence (repeats.h).
 */
struct failure_key {
	u64 mm;
	u32 root; /* hook of the operation */
	u32 hook; /* of the function that refused … */
	s64 result; /* … and with what */
	u64 request[8]; /* what was asked for */
	u64 mapping[8]; /* the mapping that was refused, or the state of all */
};

/* A failure whose evidence has been sent. */
struct lender {
	u64 id; /* of its operation; 0 = none */
	u64 time_ns; /* when that ended */
	s64 result;
};

/* Call chains were taken of a failure there: kind of operation and hook. */
struct stacks_taken {
	u64 time_ns;
	u64 place;
};

#define STACK_PLACES 8

/* What a page walk's callback refused: where, and what it had been asked for. */
struct refused {
	u64 mm;
	u64 vma; /* 0 = there is no mapping */
	u64 start;
	u64 end;
	u64 last;
	u32 hook;
	u32 may_fault;
	u32 write;
	u32 reserved;
};

struct in_flight {
	u64 id; /* start time: unique on its task */
	u64 start_ns;
	u64 attrs; /* uverbs_attr_bundle, for system calls */
	u64 umem; /* that this operation made or used, 0 = none yet */
	u64 pending_start; /* 7.3: what the last walk wants faulted; 0 = nothing */
	u64 pending_end;
	u64 witness; /* address of the last failed fault, 0 = none */
	u64 mr; /* driver's MR of a page fault, 0 = none yet */
	u64 request_address; /* of the driver's page fault */
	u64 request_length;
	struct asked asked;
	u32 required_fault;
	u32 kind; /* enum mrt_operation_kind; 0 = none is in flight */
	u32 root; /* hook that began it and will end it */
	u32 done; /* DONE_… */
	u32 lost;
	u32 muted; /* owner is not watched */
	u32 driver; /* hook of the driver's page fault around, 0 = none */
	u32 unstarted; /* its beginning was not seen */
	u32 orphan; /* a process's thread maps pages for a call that was not seen to begin */
	s32 orphan_result; /* with which that failed; 0 = it has not */
	u32 evidence; /* hook whose evidence of a failure has just been taken */
	/* what is of the task, and stays when its operation has ended */
	u32 resident; /* so does the entry */
	u32 now; /* MRT_NOW_…: what became of the records of the call that returns */
	u32 begun; /* hook at whose entry a program has run, and the last copy has not yet */
	u32 ended; /* the same at the return */
	u32 wakes; /* waking the agent is left to the last program at the return */
	struct stacks_taken stacks[STACK_PLACES];
	struct refused refused; /* with DONE_UNSENT */
	struct failure_key
		asking; /* this operation's failure, from DONE_REPEATS or DONE_LENDS on */
	struct failure_key lent; /* the task's last failure with evidence that others may share … */
	struct lender lender; /* … and, with DONE_REPEATS, whose evidence this operation shares */
};

/* Where the kernel can (config.task_storage): a lookup costs half, and it goes with its task. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct in_flight);
} tasks SEC(".maps");

/*
 * Elsewhere: by task. An entry stays when its operation has ended, for the next one
 * of that task: making and deleting one costs more than all else. Tasks that are
 * gone leave theirs, so only half of the table is for those.
 */
#define RESIDENTS 8192

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * RESIDENTS);
	__type(key, u64); /* pid_tgid */
	__type(value, struct in_flight);
} operations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} residents SEC(".maps");

/* This task's entry, whether or not an operation is in flight; NULL: it has none. */
static __always_inline struct in_flight *entry_of_task(u64 flags)
{
	u64 task;

	if (config.task_storage)
		return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, flags);
	task = bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&operations, &task);
}

static __always_inline struct in_flight *in_flight(void)
{
	struct in_flight *op = entry_of_task(0);

	return op && op->kind ? op : NULL;
}

/* What new entries are copied from, always 0: an entry is too large for a program's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct in_flight);
} blank_entry SEC(".maps");

static __noinline int add_entry(u64 task, u32 hook)
{
	struct in_flight *blank, *op;
	u32 key = 0;
	u64 *entries = bpf_map_lookup_elem(&residents, &key);

	blank = bpf_map_lookup_elem(&blank_entry, &key);
	if (!blank || bpf_map_update_elem(&operations, &task, blank, BPF_ANY)) {
		count_untracked(hook);
		return 0;
	}
	op = bpf_map_lookup_elem(&operations, &task);
	if (op && entries && *entries < RESIDENTS) {
		add_atomic(entries, 1);
		op->resident = 1;
	}
	return 0;
}

/* This task's entry, made where it has none; NULL and counted where there is no room. */
static __always_inline struct in_flight *entry_or_new(u32 hook)
{
	struct in_flight *op = entry_of_task(BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (op)
		return op;
	if (config.task_storage) {
		count_untracked(hook);
		return NULL;
	}
	add_entry(bpf_get_current_pid_tgid(), hook);
	return entry_of_task(0);
}

__noinline int report_orphan(u32 hook);

/*
 * Begin an operation on this task. One that is still there lost its return: the new
 * one takes its place.
 */
static __always_inline struct in_flight *begin(u32 hook, u32 kind, u64 attrs)
{
	struct in_flight *op = entry_or_new(hook);

	if (!op)
		return NULL;
	if (op->kind && op->orphan_result)
		report_orphan(op->root);
	__builtin_memset(op, 0, offsetof(struct in_flight, resident));
	op->now = 0;
	op->ended = 0;
	op->kind = kind;
	op->root = hook;
	op->attrs = attrs;
	op->id = op->start_ns = bpf_ktime_get_ns();
	return op;
}

static __always_inline void end(struct in_flight *op)
{
	op->begun = 0;
	op->kind = 0;
}

#endif
