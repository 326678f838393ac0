/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that end without anything having been asked of their memory: the control
 * group has as many objects as it may have, the device is gone, the task is to die.
 * Looked at when the verb has failed with an errno that one of these gives, so nothing
 * else costs anything.
 *
 * Hooks: oom_kill_process, which only a kernel without memory runs: why a process is
 *   killed.
 * Kernels: all; of 5.10 the device is not known to be gone.
 * Missing: who is killed for want of memory is not told whose memory it was.
 */
#ifndef MRTRACE_REFUSAL_H
#define MRTRACE_REFUSAL_H

#define CGROUP_LEVELS              32
#define CGROUP_POOLS               64 /* devices */
#define RDMACG_RESOURCE_HCA_OBJECT 1

/* Its last kill, of each process that the kernel has chosen. */
struct oom_kill {
	u64 start_ns; /* of the process: numbers are given again */
	u64 killed_ns;
	u64 cgroup; /* 0 = memory of the whole machine, or of its nodes */
	u64 usage;
	u64 limit;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32); /* tgid */
	__type(value, struct oom_kill);
} oom_kills SEC(".maps");

/* oom_kill_process(oc, message) */
static __always_inline int on_oom_kill(void *ctx, struct call *c)
{
	struct oom_control *oc = (void *)c->a[0];
	struct mem_cgroup *group = BPF_CORE_READ(oc, memcg);
	struct task_struct *victim = BPF_CORE_READ(oc, chosen);
	struct oom_kill kill = { .killed_ns = bpf_ktime_get_ns() };
	u32 tgid = BPF_CORE_READ(victim, tgid);

	kill.start_ns = BPF_CORE_READ(victim, group_leader, start_time);
	if (group) {
		kill.cgroup = BPF_CORE_READ(group, css.cgroup, kn, id);
		kill.usage = BPF_CORE_READ(group, memory.usage.counter);
		kill.limit = BPF_CORE_READ(group, memory.max);
	}
	if (bpf_map_update_elem(&oom_kills, &tgid, &kill, BPF_ANY))
		count_untracked(c->hook);
	return 0;
}

static __always_inline int on_oom_killed(void *ctx, struct call *c)
{
	return 0;
}

ON_ENTRY_EXIT(oom_kill_process, MRT_HOOK_OOM_KILL, 2, s32, on_oom_kill, on_oom_killed)

/* A control group's pool of a device, 0 if it has none. */
__noinline u64 rdma_pool_of(u64 group_address, u64 device)
{
	struct rdma_cgroup *group = (void *)group_address;
	u64 head = group_address + bpf_core_field_offset(group->rpools);
	u64 at = head;
	struct rdmacg_resource_pool *pool;
	u32 i;

	for (i = 0; i < CGROUP_POOLS; i++) {
		at = read_u64(at);
		if (!at || at == head)
			return 0;
		pool = (void *)(at - bpf_core_field_offset(struct rdmacg_resource_pool, cg_node));
		if ((u64)BPF_CORE_READ(pool, device) == device)
			return (u64)pool;
	}
	return 0;
}

/* The group that has no object left, of those that this task's objects are counted in; 0: none. */
__noinline u64 full_rdma_group(u64 device)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 css, full = 0;
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct rdmacg_resource *resource;
	u64 pool;
	u32 i;

	css = read_u64((u64)set + bpf_core_field_offset(set->subsys) +
		       8 * bpf_core_enum_value(enum cgroup_subsys_id, rdma_cgrp_id));
	for (i = 0; i < CGROUP_LEVELS && css; i++) {
		pool = rdma_pool_of(css - bpf_core_field_offset(struct rdma_cgroup, css), device);
		if (pool) {
			resource = (void *)(pool +
					    bpf_core_field_offset(struct rdmacg_resource_pool,
								  resources) +
					    RDMACG_RESOURCE_HCA_OBJECT *
						    bpf_core_type_size(struct rdmacg_resource));
			/* the first, from the task's own upward, is the one that refused */
			if (BPF_CORE_READ(resource, usage) >= BPF_CORE_READ(resource, max)) {
				full = css;
				break;
			}
		}
		css = (u64)BPF_CORE_READ((struct cgroup_subsys_state *)css, parent);
	}
	return full;
}

__noinline int send_full_rdma_group(u32 hook, u64 css_address, u64 device)
{
	struct cgroup_subsys_state *css = (void *)css_address;
	struct rdmacg_resource *resource;
	struct mrt_refusal *r;
	u64 pool;

	pool = rdma_pool_of(css_address - bpf_core_field_offset(struct rdma_cgroup, css), device);
	if (!pool)
		return 0;
	resource =
		(void *)(pool + bpf_core_field_offset(struct rdmacg_resource_pool, resources) +
			 RDMACG_RESOURCE_HCA_OBJECT * bpf_core_type_size(struct rdmacg_resource));
	r = evidence(hook, MRT_KIND_REFUSAL, sizeof(*r));
	if (!r)
		return 0;
	clear_record(r, sizeof(*r));
	r->what = MRT_REFUSAL_RDMA_CGROUP;
	r->resource = RDMACG_RESOURCE_HCA_OBJECT;
	r->cgroup = BPF_CORE_READ(css, cgroup, kn, id);
	r->usage = BPF_CORE_READ(resource, usage);
	r->limit = BPF_CORE_READ(resource, max);
	send_evidence(r, hook);
	return 0;
}

static __noinline u64 rdmacg_device_of(u64 device)
{
	return device + bpf_core_field_offset(struct ib_device, cg_device);
}

/* rdmacg_try_charge() said -EAGAIN if a group is full still: what it had taken it gave back. */
static __always_inline bool send_rdma_limit(u32 hook, u64 attrs)
{
	u64 device = bundle_device(attrs), group;

	if (!device || !bpf_core_type_exists(struct ib_device) ||
	    !bpf_core_type_exists(struct rdma_cgroup) ||
	    !bpf_core_enum_value_exists(enum cgroup_subsys_id, rdma_cgrp_id))
		return false;
	device = rdmacg_device_of(device);
	group = full_rdma_group(device);
	if (!group)
		return false;
	send_full_rdma_group(hook, group, device);
	return true;
}

static __noinline u64 removed_device(u64 attrs)
{
	struct uverbs_attr_bundle *bundle = (void *)attrs;
	struct ib_uverbs_device *device = BPF_CORE_READ(bundle, ufile, device);

	return !device || BPF_CORE_READ(device, ib_dev) ? 0 : (u64)device;
}

static __noinline void fill_uverbs_name(struct mrt_refusal *r, u64 address)
{
	struct ib_uverbs_device *device = (void *)address;

	if (r)
		bpf_probe_read_kernel_str(r->name, sizeof(r->name),
					  BPF_CORE_READ(device, dev.kobj.name));
}

/* ib_uverbs_remove_one() has taken the device from the descriptors that are still open. */
static __always_inline void send_removed(u32 hook, u64 attrs)
{
	struct mrt_refusal *r;
	u64 device;

	if (!bpf_core_type_exists(struct uverbs_attr_bundle) ||
	    !bpf_core_type_exists(struct ib_uverbs_device))
		return;
	device = removed_device(attrs);
	if (!device)
		return;
	r = evidence(hook, MRT_KIND_REFUSAL, sizeof(*r));
	if (!r)
		return;
	clear_record(r, sizeof(*r));
	r->what = MRT_REFUSAL_DEVICE_REMOVED;
	fill_uverbs_name(r, device);
	send_evidence(r, hook);
}

static __noinline u64 exec_of(u64 address)
{
	struct signal_struct *signal = (void *)address;

	return (u64)BPF_CORE_READ(signal, group_exec_task);
}

static __always_inline void fill_oom_kill(struct mrt_refusal *r, struct task_struct *task)
{
	u32 tgid = BPF_CORE_READ(task, tgid);
	struct oom_kill *kill = bpf_map_lookup_elem(&oom_kills, &tgid);

	if (!kill || kill->start_ns != BPF_CORE_READ(task, group_leader, start_time))
		return;
	r->flags |= MRT_KILLED_OOM_SEEN;
	r->killed_ns = kill->killed_ns;
	if (!kill->cgroup)
		return;
	r->flags |= MRT_KILLED_OOM_CGROUP;
	r->cgroup = kill->cgroup;
	r->usage = kill->usage;
	r->limit = kill->limit;
}

/* As fatal_signal_pending(): whatever ends a thread is SIGKILL to it by then. */
__noinline int send_killed(u32 hook)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct signal_struct *signal;
	struct mrt_refusal *r;

	if (!(BPF_CORE_READ(task, pending.signal.sig[0]) >> (SIGKILL - 1) & 1))
		return 0;
	r = evidence(hook, MRT_KIND_REFUSAL, sizeof(*r));
	if (!r)
		return 0;
	clear_record(r, sizeof(*r));
	r->what = MRT_REFUSAL_KILLED;
	signal = BPF_CORE_READ(task, signal);
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT) {
		r->flags |= MRT_KILLED_SIGNAL;
		r->exit_code = BPF_CORE_READ(signal, group_exit_code);
	}
	if (bpf_core_field_exists(signal->group_exec_task) && exec_of((u64)signal))
		r->flags |= MRT_KILLED_EXEC;
	if (BPF_CORE_READ(signal, oom_mm)) {
		r->flags |= MRT_KILLED_OOM;
		fill_oom_kill(r, task);
	}
	send_evidence(r, hook);
	return 0;
}

/* A verb has failed with `result`; `attrs` are its uverbs_attr_bundle. */
__noinline int send_refusal(u32 hook, s64 result, u64 attrs)
{
	if (result == -E_IO || result == -E_NODEV)
		send_removed(hook, attrs);
	/* of the methods it is the dispatcher that counts the object, before their handler is called */
	if (result == -E_AGAIN && (hook == MRT_HOOK_REG_MR || hook == MRT_HOOK_REREG_MR) &&
	    send_rdma_limit(hook, attrs))
		return 0;
	if (result == -E_AGAIN || result == -E_INTR)
		send_killed(hook);
	return 0;
}

#endif
