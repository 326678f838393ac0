/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children of watched processes are watched too, as long as they live: the
 * kernel gives their numbers to others.
 *
 * Hooks: tracepoints sched_process_fork, sched_process_exit; attached only when a
 *   filter follows.
 * Missing: children are not followed, and record says so; a process that gets the
 *   number of a dead child is taken for it.
 */
#ifndef MRTRACE_PROCESS_H
#define MRTRACE_PROCESS_H

/* TP_PROTO(parent, child) */
SEC("raw_tp/sched_process_fork")
int raw_tp__sched_process_fork(unsigned long long *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	u32 from, to;
	u8 one = 1;

	/* a thread */
	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return 0;
	from = number_of_process((u64)parent);
	if (!bpf_map_lookup_elem(&watched, &from))
		return 0;
	to = number_of_process((u64)child);
	if (to && bpf_map_update_elem(&watched, &to, &one, BPF_ANY))
		count_untracked(MRT_HOOK_FORK);
	return 0;
}

/* TP_PROTO(task, …); its last thread: what the process did is done */
SEC("raw_tp/sched_process_exit")
int raw_tp__sched_process_exit(unsigned long long *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	u32 number;

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	number = number_of_process((u64)task);
	bpf_map_delete_elem(&watched, &number);
	return 0;
}

#endif
