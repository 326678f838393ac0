/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidations: a mapping changes, and the driver gives back what it had mapped
 * of it. Counted and timed, never recorded: there may be thousands a second.
 *
 * Hooks: {rxe,mlx5}_ib_invalidate_range, only for the live views.
 * Kernels: rxe's from 6.16; mlx5's all.
 * Missing: the live views say "not watched".
 */
#ifndef MRTRACE_INVALIDATE_H
#define MRTRACE_INVALIDATE_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64); /* pid_tgid: it may sleep, and runs in whoever unmaps */
	__type(value, u64); /* start, ns */
} invalidations SEC(".maps");

/* …invalidate_range(struct mmu_interval_notifier *, range, sequence): whose memory */
static __always_inline bool is_wanted_mapping(u64 notifier)
{
	struct mmu_interval_notifier *n = (void *)notifier;

	return !config.filter || is_wanted_mm((u64)BPF_CORE_READ(n, mm));
}

static __always_inline int on_invalidate_entry(void *ctx, struct call *c)
{
	u64 task = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	if (is_wanted_mapping(c->a[0]) && bpf_map_update_elem(&invalidations, &task, &now, BPF_ANY))
		count_untracked(c->hook);
	return 0;
}

static __always_inline int on_invalidate(void *ctx, struct call *c)
{
	u64 task = bpf_get_current_pid_tgid(), *start;

	start = bpf_map_lookup_elem(&invalidations, &task);
	if (!start) {
		c->now = config.filter ? MRT_NOW_FILTERED : MRT_NOW_UNSTARTED;
		return 0;
	}
	add_latency(MRT_LATENCY_INVALIDATION, bpf_ktime_get_ns() - *start);
	bpf_map_delete_elem(&invalidations, &task);
	return 0;
}

ON_ENTRY_EXIT(rxe_ib_invalidate_range, MRT_HOOK_RXE_INVALIDATE, 3, u8, on_invalidate_entry,
	      on_invalidate)
ON_ENTRY_EXIT(mlx5_ib_invalidate_range, MRT_HOOK_MLX5_INVALIDATE, 3, u8, on_invalidate_entry,
	      on_invalidate)

#endif
