/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of processes in their PID namespaces. */
#ifndef MRTRACE_TASK_H
#define MRTRACE_TASK_H

/* Level 0 is the initial namespace; a level above pid->level is none. */
static __always_inline struct upid *number_at(struct pid *pid, u32 level)
{
	return (void *)((u64)pid + bpf_core_field_offset(struct pid, numbers) +
			level * (u64)bpf_core_type_size(struct upid));
}

#endif
