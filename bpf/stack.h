/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The call chains of the first failure in an operation: kernel, then user. They
 * cost more than all other evidence and decide nothing, so they are taken only so
 * often of a task that fails again and again in the same place, and of all that fails
 * on a CPU: while a task is preempted here, others on it lose evidence.
 */
#ifndef MRTRACE_STACK_H
#define MRTRACE_STACK_H

/*
 * A tracing program's own frames, which lead the chain: this function, the program,
 * its trampoline. A kprobe's chain is that of the registers it was called with.
 */
#define OWN_FRAMES 3

static __noinline void send_stack(void *ctx, u32 hook, u32 what, u32 own)
{
	struct mrt_stack *r = evidence(hook, MRT_KIND_STACK, sizeof(*r));
	long bytes;

	if (!r)
		return;
	bytes = bpf_get_stack(ctx, r->addresses, sizeof(r->addresses),
			      what == MRT_STACK_USER ? BPF_F_USER_STACK
						     : own & BPF_F_SKIP_FIELD_MASK);
	/* a chain of fewer frames than these has no others: take it as it is */
	if (bytes <= 0 && own)
		bytes = bpf_get_stack(ctx, r->addresses, sizeof(r->addresses), 0);
	if (bytes <= 0) {
		bpf_ringbuf_discard(r, 0);
		return;
	}
	r->what = what;
	r->count = bytes / 8;
	r->h.size = sizeof(*r) - sizeof(r->addresses) + bytes;
	send_evidence(r, hook);
}

#define STACKS_AGAIN_NS 10000000ull

static __always_inline bool had_stacks(struct in_flight *op, u32 hook)
{
	u64 now = bpf_ktime_get_ns(), place = op->kind << 16 | hook;
	u32 at = (op->kind * 5 + hook) & (STACK_PLACES - 1);
	struct stacks_taken *taken;

	barrier_var(at);
	taken = &op->stacks[at & (STACK_PLACES - 1)];
	if (taken->place == place && now - taken->time_ns < STACKS_AGAIN_NS)
		return true;
	taken->place = place;
	taken->time_ns = now;
	return false;
}

#define STACKS_WINDOW_NS 1000000000ull
#define STACKS_IN_WINDOW 32

struct stacks_window {
	u64 since_ns;
	u64 taken;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stacks_window);
} stacks_windows SEC(".maps");

static __noinline int has_stacks_left(void)
{
	u64 now = bpf_ktime_get_ns();
	struct stacks_window *window;
	u32 key = 0;

	window = bpf_map_lookup_elem(&stacks_windows, &key);
	if (!window)
		return 0;
	if (now - window->since_ns >= STACKS_WINDOW_NS) {
		window->since_ns = now;
		window->taken = 0;
	}
	if (window->taken >= STACKS_IN_WINDOW)
		return 0;
	window->taken++;
	return 1;
}

static __always_inline void send_stacks(void *ctx, struct in_flight *op, struct call *c)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (op->done & DONE_STACK)
		return;
	op->done |= DONE_STACK;
	if (had_stacks(op, c->hook) || !has_stacks_left())
		return;
	send_stack(ctx, c->hook, MRT_STACK_KERNEL, c->rung == MRT_RUNG_FEXIT ? OWN_FRAMES : 0);
	if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		send_stack(ctx, c->hook, MRT_STACK_USER, 0);
}

#endif
