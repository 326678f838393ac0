/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapping that a process does not have because it was forked: its ancestor has it,
 * and said by madvise(MADV_DONTFORK) that children do not get it. libibverbs does so
 * with what is registered (ibv_fork_init()). In the child nothing is left to tell;
 * the ancestor's mapping has VM_DONTCOPY.
 */
#ifndef MRTRACE_FORKED_H
#define MRTRACE_FORKED_H

#define GENERATIONS 4

/* The process that owns a mm: `mm` of the caller where the kernel does not say. */
static __always_inline struct task_struct *owner_of(u64 mm_address)
{
	struct mm_struct *mm = (void *)mm_address;
	struct task_struct *task = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(mm->owner))
		return BPF_CORE_READ(mm, owner);
	return (u64)BPF_CORE_READ(task, mm) == mm_address ? task : NULL;
}

__noinline int send_ancestor(u32 hook, u64 child, u64 vma_address, u64 address, u32 generation)
{
	struct task_struct *forked = (void *)child;
	struct task_struct *task = BPF_CORE_READ(forked, real_parent);
	struct vm_area_struct *vma = (void *)vma_address;
	struct mrt_forked *r = evidence(hook, MRT_KIND_FORKED, sizeof(*r));

	if (!r)
		return 0;
	clear_record(r, sizeof(*r));
	r->address = address;
	r->start = BPF_CORE_READ(vma, vm_start);
	r->end = BPF_CORE_READ(vma, vm_end);
	r->vm_flags = BPF_CORE_READ(vma, vm_flags);
	r->forked_ns = BPF_CORE_READ(forked, group_leader, start_time);
	r->pid = BPF_CORE_READ(task, tgid);
	r->generation = generation;
	read_comm(r->comm, (char *)task + bpf_core_field_offset(task->comm));
	send_evidence(r, hook);
	return 0;
}

/*
 * What the parent of `task` has there: the parent's task to go on with, 0 where no
 * ancestor further up can tell. Other processes' trees are read as they are, and may
 * change meanwhile: what is found must hold the address.
 */
static __always_inline u64 send_if_not_copied(u32 hook, u64 child, u64 address, u32 generation)
{
	struct task_struct *task = (void *)child, *parent;
	struct vm_area_struct *vma;
	u64 mm;

	parent = BPF_CORE_READ(task, real_parent);
	if (!parent || parent == task)
		return 0;
	mm = (u64)BPF_CORE_READ(parent, mm);
	if (!mm)
		return 0;
	vma = (void *)vma_at(mm, address);
	if ((u64)vma == VMA_UNKNOWN)
		return 0;
	/* nor has it: perhaps it was forked as well */
	if (!vma)
		return (u64)parent;
	if (BPF_CORE_READ(vma, vm_flags) & VM_DONTCOPY && BPF_CORE_READ(vma, vm_start) <= address &&
	    BPF_CORE_READ(vma, vm_end) > address)
		send_ancestor(hook, child, (u64)vma, address, generation);
	return 0;
}

/*
 * If there is no mapping at `address`: has an ancestor kept it for itself? Called where
 * the mapping is sent, not by what sends it: the kernel lets calls nest eight deep, and
 * those to the leaves of a tree of mappings are four.
 */
__noinline int send_forked(u32 hook, u64 mm, u64 address)
{
	u64 task;
	u32 i;

	if (vma_at(mm, address))
		return 0;
	task = (u64)owner_of(mm);
	for (i = 1; i <= GENERATIONS && task; i++)
		task = send_if_not_copied(hook, task, address, i);
	return 0;
}

#endif
