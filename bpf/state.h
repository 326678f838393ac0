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
/* With a filter by errno: records of the operation were sent. */
#define DONE_SENT	(1u << 3)
/* With a filter by errno: an inner function's own errno was not asked for, so its evidence was not sent. */
#define DONE_WITHHELD	(1u << 4)
/* A callback refused; the range fault around it still has to send what the callback met (met_…). */
#define DONE_MET	(1u << 5)
/* The operation repeats the failure in `told`, and shares its evidence. */
#define DONE_REPEATS	(1u << 6)
/* The operation's failure is in `told`: later ones may repeat it. */
#define DONE_TELLS	(1u << 7)
#define DONE_FILTERS	(DONE_SENT | DONE_WITHHELD)

/* What an operation asked ib_umem_odp_map_dma_and_lock() for. */
struct asked {
	u64 umem;
	u64 address;
	u64 length;
	u32 access;
	u32 fault;
};

/*
 * A failure that nothing but the address space's mappings decided, and all that its
 * evidence depends on: where these are the same, so is the evidence.
 */
struct told {
	struct asked asked;
	u64 id;			/* the operation that sent it; 0 = none */
	u64 time_ns;
	u64 mm;
	u64 start;
	u64 end;
	u64 umem_address;
	u64 umem_length;
	u32 mappings;		/* mm_lock_seq: any change of a mapping makes it another */
	u32 hook;		/* of the check that refused */
	s32 walk_result;
	s32 result;
};

/* Call chains were taken of a failure there: kind of operation and hook. */
struct stacks_taken {
	u64 time_ns;
	u64 place;
};

#define STACK_PLACES 8

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
	struct asked asked;
	u32 required_fault;
	u32 kind;		/* enum mrt_operation_kind; 0 = none is in flight */
	u32 root;		/* hook that began it and will end it */
	u32 done;		/* DONE_… */
	u32 lost;
	u32 muted;		/* owner is not watched */
	u32 driver;		/* hook of the driver's page fault around, 0 = none */
	u32 unstarted;		/* its beginning was not seen */
	u32 orphan;		/* a process's thread maps pages for a call that was not seen to begin */
	s32 orphan_result;	/* with which that failed; 0 = it has not */
	u32 evidence;		/* hook whose evidence of a failure has just been taken */
	/* what is of the task, and stays when its operation has ended */
	u32 resident;		/* so does the entry */
	u32 now;		/* MRT_NOW_…: what became of the records of the call that returns */
	u32 begun;		/* hook at whose entry a program has run, and the last copy has not yet */
	u32 ended;		/* the same at the return */
	u32 wakes;		/* waking the agent is left to the last program at the return */
	struct stacks_taken stacks[STACK_PLACES];
	u32 met_hook;		/* with DONE_MET: where, and by whom */
	u64 met_mm;
	u64 met_vma;
	u64 met_start;
	u64 met_end;
	u64 met_last;
	u32 met_may_fault;
	u32 met_write;
	struct told told;
};

/*
 * What a copy of a program leaves on its CPU for the next one (hook.h): the context of
 * the call, which is the same for all programs of a call, and lies on its task's stack.
 */
struct marks {
	u64 begun;
	u64 ended;
	u64 wakes;		/* waking the agent is left to the last copy */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct marks);
} marks SEC(".maps");

/* Where the kernel can (config.modern): a lookup costs half, and it goes with its task. */
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
	__type(key, u64);	/* pid_tgid */
	__type(value, struct in_flight);
} operations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} residents SEC(".maps");

/*
 * kprobe twins keep the arguments from entry to return: with their task where the
 * kernel can (config.modern), which is a fifth of the work, else in a table.
 */
#define KEPT_CALLS 8	/* one inside the other, and those whose return was missed */

struct kept_call {
	u64 hook;		/* 0 = none */
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

/* This task's entry, whether or not an operation is in flight; NULL: it has none. */
static __always_inline struct in_flight *entry_of_task(u64 flags)
{
	u64 task;

	if (config.modern)
		return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
					    flags);
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
	if (config.modern) {
		count_untracked(hook);
		return NULL;
	}
	add_entry(bpf_get_current_pid_tgid(), hook);
	return entry_of_task(0);
}

__noinline int tell_orphan(u32 hook);

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
		tell_orphan(op->root);
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

/* A record of this task's operation found no room. */
static __always_inline void count_lost(struct in_flight *op, u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	if (tally)
		count(&tally->lost);
	if (op) {
		op->lost++;
		op->now |= MRT_NOW_CUT;
	}
}

/*
 * `time_ns` is read before the record's room is taken: a task may be preempted between
 * the two, and a recording, in which time does not go back, would move all records
 * behind a late one to its time.
 */
static __always_inline void fill_header(struct in_flight *op, struct mrt_header *h,
					u32 hook, u32 kind, u32 size, u64 time_ns)
{
	u64 task = bpf_get_current_pid_tgid();

	if (config.errno_count && op)
		op->done |= DONE_SENT;
	h->kind = kind;
	h->size = size;
	h->operation = op ? op->id : 0;
	h->pid = task >> 32;
	h->tid = task;
	h->cpu = bpf_get_smp_processor_id();
	h->hook = hook;
	h->time_ns = time_ns;
}

/* Room for a record, its header filled in; NULL and counted when there is none. */
static __always_inline void *record(struct in_flight *op, u32 hook, u32 kind,
				    u64 size)
{
	u64 now = bpf_ktime_get_ns();
	struct mrt_header *h = bpf_ringbuf_reserve(&ring, size, 0);

	if (!h) {
		count_lost(op, hook);
		return NULL;
	}
	fill_header(op, h, hook, kind, size, now);
	return h;
}

/*
 * What stands behind a record's header, as far as `size`, is 0. Records are aligned:
 * the compiler, which is not told by the helper, would write bytes one by one.
 */
static __always_inline void clear_record(void *r, u64 size)
{
	u64 *words = r;

	__builtin_memset(words + sizeof(struct mrt_header) / 8, 0,
			 size - sizeof(struct mrt_header));
}

static __always_inline void sent(u32 hook)
{
	struct mrt_tally *tally = tally_of(hook);

	if (tally)
		count(&tally->recorded);
}

/*
 * The agent looks by itself several times a second. Waking it costs the traced
 * more than all that is done here, so it is woken when much waits, and by a
 * failure that is complete: it reads /proc of the process, which may be gone soon.
 * A CPU on which tasks fail again and again does so only so often.
 */
#define WAKE_AGAIN_NS 50000000ull

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} woken SEC(".maps");

/* A failure is complete: the agent is to be woken, and this CPU has not done so a moment ago. */
static __always_inline bool may_wake(void)
{
	u64 now = bpf_ktime_get_ns(), *last;
	u32 key = 0;

	last = bpf_map_lookup_elem(&woken, &key);
	if (!last || now - *last < WAKE_AGAIN_NS)
		return false;
	*last = now;
	return true;
}

static __always_inline u64 waiting(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
}

static __always_inline u64 wakes_agent(void)
{
	return waiting() >= config.wake_at ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void send(void *r, u32 hook)
{
	bpf_ringbuf_submit(r, wakes_agent());
	sent(hook);
}

/*
 * Evidence may not take the last part of the ring, which is for records of
 * operations: that one failed is told even where nothing can be told of it. What
 * costs most and tells least is shed first, while the ring fills.
 */
static __always_inline u64 room_for(u32 kind)
{
	u64 eighth = config.ring_size / 8;

	switch (kind) {
	case MRT_KIND_STACK:
		return 4 * eighth;
	case MRT_KIND_OWNER:
		return 6 * eighth;
	default:
		return 7 * eighth;
	}
}

/* No cause depends on these: an operation that lacks them lacks no evidence. */
static __always_inline bool is_ornament(u32 kind)
{
	return kind == MRT_KIND_STACK || kind == MRT_KIND_OWNER;
}

/*
 * Evidence of a failure is seldom, and of many kinds. A call takes longer, but each
 * copy would be a hundred instructions in every program, and what the kernel does
 * with them before they run costs more than all failures.
 */
static __noinline u64 count_evidence(u32 hook)
{
	sent(hook);
	return wakes_agent();
}

__noinline int count_shed(u32 hook, u32 kind)
{
	struct mrt_tally *tally = tally_of(hook);
	struct in_flight *op = in_flight();

	if (tally) {
		count(&tally->lost);
		count(&tally->shed);
	}
	if (op)
		op->now |= MRT_NOW_CUT;
	if (op && !is_ornament(kind))
		op->lost++;
	return 0;
}

__noinline int may_send(u32 hook, u32 kind, u64 size)
{
	if (waiting() + size <= room_for(kind))
		return 1;
	count_shed(hook, kind);
	return 0;
}

static __noinline void fill_evidence(struct mrt_header *h, u32 hook, u32 kind, u32 size,
				     u64 time_ns)
{
	struct in_flight *op = in_flight();

	if (!h)
		return;
	if (op)
		op->now |= MRT_NOW_SENT;
	fill_header(op, h, hook, kind, size, time_ns);
}

static __noinline void *new_evidence(u32 hook, u32 kind, u64 size)
{
	u64 now = bpf_ktime_get_ns();
	struct mrt_header *h;

	if (!may_send(hook, kind, size))
		return NULL;
	h = bpf_ringbuf_reserve(&ring, size, 0);
	if (!h)
		count_shed(hook, kind);
	else
		fill_evidence(h, hook, kind, size, now);
	return h;
}

/* Before 6.2 the verifier takes what a function of ours returns for NULL, though it was looked at there. */
static __always_inline void *evidence(u32 hook, u32 kind, u64 size)
{
	struct mrt_header *h;
	u64 now;

	if (config.modern)
		return new_evidence(hook, kind, size);
	if (!may_send(hook, kind, size))
		return NULL;
	now = bpf_ktime_get_ns();
	h = bpf_ringbuf_reserve(&ring, size, 0);
	if (!h) {
		count_shed(hook, kind);
		return NULL;
	}
	fill_evidence(h, hook, kind, size, now);
	return h;
}

static __always_inline void send_evidence(void *r, u32 hook)
{
	bpf_ringbuf_submit(r, count_evidence(hook));
}

/* Wakes the agent without a record of its own. */
static __always_inline void wake_agent(void)
{
	void *r = bpf_ringbuf_reserve(&ring, 8, 0);

	if (r)
		bpf_ringbuf_discard(r, BPF_RB_FORCE_WAKEUP);
}

/* Of a return, after the last copy of its program: what is left to do. */
static __always_inline void after_end(struct in_flight *op)
{
	u64 task;

	if (op->wakes) {
		op->wakes = 0;
		wake_agent();
	}
	if (config.modern || op->resident || op->kind)
		return;
	task = bpf_get_current_pid_tgid();
	bpf_map_delete_elem(&operations, &task);
}

/*
 * The last record of an operation, `op`. The kernel may run the agent at once: a
 * program that another one follows at this return leaves that to it, so that
 * the others on this CPU lack only the last copy meanwhile.
 */
static __always_inline void send_last(struct in_flight *op, void *r, u32 hook,
				      bool failed, bool last)
{
	op->now |= MRT_NOW_SENT;
	if (failed && may_wake()) {
		if (last) {
			bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
			sent(hook);
			return;
		}
		op->wakes = 1;
	}
	send(r, hook);
}

#endif
