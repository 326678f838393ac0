/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is kept between programs: the operation in flight on each task, the
 * hooks' counters, the ring buffer, the watched processes.
 */
#ifndef MRTRACE_STATE_H
#define MRTRACE_STATE_H

/* a section of its own, so that the agent can fill it in before loading */
const volatile struct mrt_config config SEC(".rodata.config") = {};

/* Evidence already taken in this attempt, so that callers do not repeat it. */
#define DONE_STACK	(1u << 0)
#define DONE_MAPPING	(1u << 1)
#define DONE_ENTRIES	(1u << 2)
/* Filter by errno: records were sent; evidence was not, for its own errno. */
#define DONE_SENT	(1u << 3)
#define DONE_WITHHELD	(1u << 4)
#define DONE_FILTERS	(DONE_SENT | DONE_WITHHELD)

struct in_flight {
	u64 id;			/* start time: unique on its task */
	u64 start_ns;
	u64 attrs;		/* uverbs_attr_bundle, for system calls */
	u64 umem;		/* that this operation made or used, 0 = none yet */
	u64 pending_start;	/* 7.3: what the last walk wants faulted; 0 = nothing */
	u64 pending_end;
	u64 witness;		/* address of the last failed fault, 0 = none */
	u64 mr;			/* driver's MR of a page fault, 0 = none yet */
	u64 request_address;	/* of the driver's page fault */
	u64 request_length;
	u32 required_fault;
	u32 kind;		/* enum mrt_operation_kind */
	u32 root;		/* hook that began it and will end it */
	u32 done;		/* DONE_… */
	u32 lost;
	u32 muted;		/* owner is not watched */
	u32 driver;		/* hook of the driver's page fault around, 0 = none */
	u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);	/* pid_tgid */
	__type(value, struct in_flight);
} operations SEC(".maps");

/* kprobe twins keep the arguments from entry to return here */
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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);	/* number of the process, as the agent sees it */
	__type(value, u8);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MRT_HOOK_COUNT);
	__type(key, u32);
	__type(value, struct mrt_tally);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ring SEC(".maps");

static __always_inline struct mrt_tally *tally_of(u32 hook)
{
	return bpf_map_lookup_elem(&counters, &hook);
}

/*
 * A call is one of reported, cut, aggregated, filtered, unstarted. Which one is
 * gathered in `now` while its program runs: the kernel lets no program run twice
 * at a time on a CPU, and entry programs do not touch it.
 */
static __always_inline struct mrt_tally *call_begins(u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	if (tally) {
		tally->seen++;
		tally->now = 0;
	}
	return tally;
}

static __always_inline int call_ends(struct mrt_tally *tally)
{
	u64 now = tally->now;

	if (!now)
		tally->aggregated++;
	else if (now & MRT_NOW_CUT)
		tally->cut++;
	else if (now & MRT_NOW_SENT)
		tally->reported++;
	else if (now & MRT_NOW_UNSTARTED)
		tally->unstarted++;
	else
		tally->filtered++;
	return 0;
}

/* Seldom, and from entry programs too, which another one may be in the middle of. */
static __always_inline void count_untracked(u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	/* the builtin would fetch as well, which kernels before 5.12 refuse */
	if (tally)
		asm volatile("lock *(u64 *)(%0 + 0) += %1"
			     : : "r"(&tally->untracked), "r"(1ull) : "memory");
}

static __always_inline struct in_flight *in_flight(void)
{
	u64 task = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&operations, &task);
}

/*
 * Begin an operation on this task. One that is still there lost its return (a
 * missed kretprobe): the new one takes its place.
 */
static __always_inline struct in_flight *begin(u32 hook, u32 kind, u64 attrs)
{
	u64 task = bpf_get_current_pid_tgid();
	struct in_flight new = {
		.kind = kind,
		.root = hook,
		.attrs = attrs,
	};

	new.id = new.start_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&operations, &task, &new, BPF_ANY)) {
		count_untracked(hook);
		return NULL;
	}
	return bpf_map_lookup_elem(&operations, &task);
}

static __always_inline void end(void)
{
	u64 task = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&operations, &task);
}

/* Room for a record, its header filled in; NULL and counted when there is none. */
static __always_inline void *record(struct in_flight *op, u32 hook, u32 kind,
				    u64 size)
{
	u64 task = bpf_get_current_pid_tgid();
	struct mrt_header *h = bpf_ringbuf_reserve(&ring, size, 0);
	struct mrt_tally *tally;

	if (!h) {
		tally = tally_of(hook);
		if (tally) {
			tally->lost++;
			tally->now |= MRT_NOW_CUT;
		}
		if (op)
			op->lost++;
		return NULL;
	}
	if (config.errno_count && op)
		op->done |= DONE_SENT;
	h->kind = kind;
	h->size = size;
	h->operation = op ? op->id : 0;
	h->pid = task >> 32;
	h->tid = task;
	h->cpu = bpf_get_smp_processor_id();
	h->hook = hook;
	h->time_ns = bpf_ktime_get_ns();
	return h;
}

static __always_inline void send(void *r, u32 hook)
{
	struct mrt_tally *tally;

	bpf_ringbuf_submit(r, 0);
	tally = tally_of(hook);
	if (tally) {
		tally->recorded++;
		tally->now |= MRT_NOW_SENT;
	}
}

#endif
