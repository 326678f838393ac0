/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose operations are recorded: filters by the process that owns the memory
 * (number, name, control group), by device and by errno. Kinds are combined by
 * AND, values of a kind by OR. What is not asked for costs nothing: `config` is
 * constant when the verifier sees it.
 *
 * The owner of a system call is the calling thread; of what a kernel worker does
 * it is mm->owner, the leader of the process. A name fits if it is that task's or
 * its leader's at the beginning of the operation.
 */
#ifndef MRTRACE_FILTER_H
#define MRTRACE_FILTER_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32); /* number of the process, as the agent sees it */
	__type(value, u8);
} watched SEC(".maps");

struct name_16 {
	char text[16];
};

struct name_64 {
	char text[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MRT_FILTER_VALUES);
	__type(key, struct name_16); /* filled up with NUL */
	__type(value, u8);
} wanted_comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MRT_FILTER_VALUES);
	__type(key, u64); /* of a control group: the inode of its directory */
	__type(value, u8);
} wanted_cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MRT_FILTER_VALUES);
	__type(key, struct name_64);
	__type(value, u8);
} wanted_devices SEC(".maps");

/* As the agent sees it: its PID namespace may not be the initial one. 0: it does not see it. */
__noinline u32 number_of_process(u64 address)
{
	struct task_struct *task = (void *)address;
	struct upid *number;
	struct pid *pid;
	u32 i, levels;

	if (!config.pid_namespace)
		return BPF_CORE_READ(task, tgid);
	pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	if (!pid)
		return 0;
	levels = BPF_CORE_READ(pid, level) + 1;
	for (i = 0; i < MRT_PID_LEVELS; i++) {
		if (i >= levels)
			break;
		number = number_at(pid, i);
		if (BPF_CORE_READ(number, ns, ns.inum) == config.pid_namespace)
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

static __always_inline bool has_wanted_comm(struct task_struct *task)
{
	struct name_16 name = {};

	bpf_core_read_str(name.text, sizeof(name.text), &task->comm);
	return bpf_map_lookup_elem(&wanted_comms, &name);
}

#define CGROUP_DEPTH 64

static __always_inline bool is_in_wanted_cgroup(struct task_struct *task)
{
	u64 group = (u64)BPF_CORE_READ(task, cgroups, dfl_cgrp);
	u64 id, parent;
	u32 i;

	for (i = 0; i < CGROUP_DEPTH; i++) {
		if (!group)
			return false;
		id = BPF_CORE_READ((struct cgroup *)group, kn, id);
		if (bpf_map_lookup_elem(&wanted_cgroups, &id))
			return true;
		parent = (u64)BPF_CORE_READ((struct cgroup *)group, self.parent);
		if (!parent)
			return false;
		group = parent - bpf_core_field_offset(struct cgroup, self);
	}
	return false;
}

/* Global functions: verified once, not for each hook. */
__noinline int is_wanted_task(u64 address)
{
	struct task_struct *task = (void *)address;
	struct task_struct *leader;
	u32 number;

	if (config.filter & MRT_FILTER_PID) {
		number = number_of_process(address);
		if (!bpf_map_lookup_elem(&watched, &number))
			return 0;
	}
	if (config.filter & MRT_FILTER_COMM && !has_wanted_comm(task)) {
		leader = BPF_CORE_READ(task, group_leader);
		if (!leader || !has_wanted_comm(leader))
			return 0;
	}
	if (config.filter & MRT_FILTER_CGROUP && !is_in_wanted_cgroup(task))
		return 0;
	return 1;
}

static __noinline int read_device_name(struct name_64 *name, u64 address)
{
	struct ib_device *device = (void *)address;

	if (!name)
		return 0;
	bpf_core_read_str(name->text, sizeof(name->text), &device->name);
	return 0;
}

__noinline int is_wanted_device(u64 device)
{
	struct name_64 name = {};

	if (!device)
		return 0;
	if (bpf_core_type_exists(struct ib_device))
		read_device_name(&name, device);
	else if (is_5_10())
		bpf_probe_read_kernel_str(name.text, sizeof(name.text),
					  (void *)(device + DEVICE_NAME_5_10));
	return bpf_map_lookup_elem(&wanted_devices, &name) != NULL;
}

/* This thread, as the owner. The usual filter, by number alone, needs no look at the task. */
static __always_inline bool is_wanted_caller(void)
{
	u32 tgid;

	if (!(config.filter & ~MRT_FILTER_DEVICE))
		return true;
	if ((config.filter & ~MRT_FILTER_DEVICE) == MRT_FILTER_PID && !config.pid_namespace) {
		tgid = bpf_get_current_pid_tgid() >> 32;
		return bpf_map_lookup_elem(&watched, &tgid) != NULL;
	}
	return is_wanted_task(bpf_get_current_task());
}

/* The owner of a mm; one without is nobody's that was asked for. */
static __always_inline bool is_wanted_mm(u64 mm_address)
{
	struct mm_struct *mm = (void *)mm_address;
	struct task_struct *owner;

	if (!(config.filter & ~MRT_FILTER_DEVICE))
		return true;
	if (!mm || !bpf_core_field_exists(mm->owner))
		return false;
	owner = BPF_CORE_READ(mm, owner);
	return owner && is_wanted_task((u64)owner);
}

static __always_inline bool is_wanted_on(u64 device)
{
	return !(config.filter & MRT_FILTER_DEVICE) || is_wanted_device(device);
}

/* -errno or another result of an operation. Every layer has the one of the layer below. */
static __always_inline bool is_wanted_result(s64 result)
{
	u32 i;

	if (!config.errno_count || result >= 0)
		return true;
#pragma unroll
	for (i = 0; i < MRT_FILTER_ERRNOS; i++)
		if (i < config.errno_count && (u32)-result == config.errnos[i])
			return true;
	return false;
}

/* Evidence of a failure whose errno was not asked for; false: it was. */
static __always_inline bool withhold(struct in_flight *op, struct call *c)
{
	if (is_wanted_result(c->ret))
		return false;
	op->done |= DONE_WITHHELD;
	c->now |= MRT_NOW_FILTERED;
	return true;
}

#endif
