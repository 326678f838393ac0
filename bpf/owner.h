/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of a failed operation: who owns the memory, as its container knows it. The
 * numbers in every PID namespace, and the control group.
 */
#ifndef MRTRACE_OWNER_H
#define MRTRACE_OWNER_H

/* Of a process in the PID namespace of a level: its number, and above it the namespace's. */
__noinline u64 number_and_namespace(u64 pid, u32 level)
{
	struct upid *number = number_at((void *)pid, level);

	return (u32)BPF_CORE_READ(number, nr) | (u64)BPF_CORE_READ(number, ns, ns.inum) << 32;
}

__noinline int send_owner(u32 hook, u64 address)
{
	struct task_struct *task = (void *)address;
	struct mrt_owner *r;
	struct pid *pid;
	u32 i, levels;
	u64 both;

	r = evidence(hook, MRT_KIND_OWNER, sizeof(*r));
	if (!r)
		return 0;
	clear_record(r, sizeof(*r));
	r->owner_pid = BPF_CORE_READ(task, tgid);
	r->owner_tid = BPF_CORE_READ(task, pid);
	r->start_ns = BPF_CORE_READ(task, start_boottime);
	r->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	if (pid) {
		levels = BPF_CORE_READ(pid, level) + 1;
		if (levels > MRT_PID_LEVELS)
			levels = MRT_PID_LEVELS;
		for (i = 0; i < MRT_PID_LEVELS; i++) {
			if (i >= levels)
				break;
			both = number_and_namespace((u64)pid, i);
			r->pids[i] = both;
			r->pid_namespace = both >> 32;
			r->levels = i + 1;
		}
	}
	send_evidence(r, hook);
	return 0;
}

static __always_inline void send_owner_of(u32 hook, u64 mm_address)
{
	struct mm_struct *mm = (void *)mm_address;
	struct task_struct *owner;

	if (!mm || !bpf_core_field_exists(mm->owner))
		return;
	owner = BPF_CORE_READ(mm, owner);
	if (owner)
		send_owner(hook, (u64)owner);
}

#endif
