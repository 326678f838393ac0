/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children of watched processes are watched too.
 *
 * Hook: tracepoint sched_process_fork; attached only when a filter follows.
 * Missing: children are not followed, and record says so.
 */
#ifndef MRTRACE_PROCESS_H
#define MRTRACE_PROCESS_H

/* TP_PROTO(parent, child) */
SEC("raw_tp/sched_process_fork")
int raw_tp__sched_process_fork(unsigned long long *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	u32 from = BPF_CORE_READ(parent, tgid), to = BPF_CORE_READ(child, tgid);
	u8 one = 1;

	if (from == to || !bpf_map_lookup_elem(&watched, &from))
		return 0;
	if (bpf_map_update_elem(&watched, &to, &one, BPF_ANY))
		count_untracked(MRT_HOOK_FORK);
	return 0;
}

#endif
