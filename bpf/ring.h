/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records on their way to the agent: room in the ring buffer, which of them is shed where
 * it fills, and when the agent is woken.
 */
#ifndef MRTRACE_RING_H
#define MRTRACE_RING_H

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ring SEC(".maps");

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
static __always_inline void fill_header(struct in_flight *op, struct mrt_header *h, u32 hook,
					u32 kind, u32 size, u64 time_ns)
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
static __always_inline void *record(struct in_flight *op, u32 hook, u32 kind, u64 size)
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
static __always_inline bool may_wake(u64 now)
{
	u64 *last;
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
	case MRT_KIND_STACK: return 4 * eighth;
	case MRT_KIND_OWNER: return 6 * eighth;
	default: return 7 * eighth;
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

	if (config.pointer_results)
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

/*
 * The last record of an operation, `op`. The kernel may run the agent at once: a
 * program that another one follows at this return leaves that to it, so that
 * the others on this CPU lack only the last copy meanwhile.
 */
static __always_inline void send_last(struct in_flight *op, struct mrt_operation *r, u32 hook,
				      bool last)
{
	op->now |= MRT_NOW_SENT;
	if (r->result < 0 && may_wake(r->h.time_ns)) {
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
