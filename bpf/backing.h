/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands behind a mapping, at the instant a failure is recorded: whether its
 * file system is told of writes, how full it is, what the pool of huge pages has.
 *
 * Hooks: shmem_unused_huge_shrink and ext4_should_retry_alloc (fault.h). The two file
 *   systems run them when there is no block for a page, and for nothing else of a
 *   fault's.
 * Kernels: all; the RDMA core's rule on writes is of 6.5 and later.
 * Why: VM_FAULT_SIGBUS and -EFAULT are the same for all of these, and a moment later
 *   the numbers are others.
 * Missing: a full file system is not told from other failures of its fault handler.
 */
#ifndef MRTRACE_BACKING_H
#define MRTRACE_BACKING_H

#define BACKING_FIXED (sizeof(struct mrt_backing) - MRT_PATH_MAX)

struct backing_room {
	struct mrt_backing backing;
	struct path_cursor cursor;
};

static __always_inline u64 word_at(u64 address)
{
	u64 value = 0;

	read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* As percpu_counter_sum(). Global: the verifier looks at it once. */
#define MOST_CPUS 1024

__noinline u64 counter_sum(u64 address)
{
	struct percpu_counter *counter = (void *)address;
	u64 counters = (u64)BPF_CORE_READ(counter, counters), at;
	s64 sum = BPF_CORE_READ(counter, count);
	u32 cpu = 0;
	s32 part;

	AT_MOST(MOST_CPUS,
		if (cpu >= config.cpus)
			break;
		at = counters + word_at(config.per_cpu_offset + (u64)cpu * 8);
		part = 0;
		read_kernel(&part, sizeof(part), (void *)at);
		sum += part;
		cpu++;
	);
	return sum;
}

/* Of a struct shmem_sb_info. */
static __noinline void fill_blocks(struct mrt_backing_facts *f, u64 address)
{
	struct shmem_sb_info *info = (void *)address;

	if (!f || !address || !config.per_cpu_offset)
		return;
	f->blocks_max = BPF_CORE_READ(info, max_blocks);
	f->blocks_used =
		counter_sum(address + bpf_core_field_offset(struct shmem_sb_info, used_blocks));
	f->has |= MRT_BACKING_HAS_BLOCKS;
}

/* inode_to_bdi(). A kernel without gendisk.bdi does not ask when it pins. */
static __noinline u64 bdi_of(u64 address)
{
	struct inode *inode = (void *)address;
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	struct bdev_inode *both;

	if (BPF_CORE_READ(sb, s_magic) != BDEVFS_MAGIC)
		return (u64)BPF_CORE_READ(sb, s_bdi);
	both = (void *)(address - bpf_core_field_offset(struct bdev_inode, vfs_inode));
	return (u64)BPF_CORE_READ(both, bdev.bd_disk, bdi);
}

/* What vma_needs_dirty_tracking() looks at. */
static __noinline void fill_writes(struct mrt_backing_facts *f, u64 vma_address, u64 inode)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct backing_dev_info *bdi = NULL;
	struct vm_operations_struct *ops = BPF_CORE_READ(vma, vm_ops);
	struct gendisk *disk = NULL;

	if (!f)
		return;
	if (ops && BPF_CORE_READ(ops, page_mkwrite))
		f->flags |= MRT_BACKING_PAGE_MKWRITE;
	if (ops && BPF_CORE_READ(ops, pfn_mkwrite))
		f->flags |= MRT_BACKING_PFN_MKWRITE;
	if (bpf_core_field_exists(disk->bdi))
		bdi = (void *)bdi_of(inode);
	if (bdi && BPF_CORE_READ(bdi, capabilities) & BDI_CAP_WRITEBACK)
		f->flags |= MRT_BACKING_WRITEBACK;
	f->has |= MRT_BACKING_HAS_WRITES;
}

static __noinline u32 id_of_hugetlb_group(void)
{
	return bpf_core_enum_value(enum cgroup_subsys_id, hugetlb_cgrp_id);
}

/* Of a page_counter in each group of the way up: the group with the least left. */
struct nearest {
	u64 group;
	u64 usage;
	u64 max;
};

#define GROUP_LEVELS 16

static __noinline void find_nearest(struct nearest *out, u64 css_address, u64 offset)
{
	struct cgroup_subsys_state *css = (void *)css_address;
	u64 least = ~0ull, usage, max, left;
	struct page_counter *counter;
	u32 i;

	if (!out)
		return;
	for (i = 0; i < GROUP_LEVELS && css; i++) {
		counter = (void *)((u64)css + offset);
		usage = BPF_CORE_READ(counter, usage.counter);
		max = BPF_CORE_READ(counter, max);
		left = usage < max ? max - usage : 0;
		if (left < least) {
			least = left;
			out->group = BPF_CORE_READ(css, cgroup, kn, id);
			out->usage = usage;
			out->max = max;
		}
		css = BPF_CORE_READ(css, parent);
	}
}

/* hugetlb_cgroup_charge_cgroup() charges the group of the task that faults. */
static __always_inline void fill_group(struct mrt_backing_facts *f, u64 hstate)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	u64 size = bpf_core_type_size(struct page_counter), css, index;
	struct nearest nearest = {};

	if (!f || !config.hstates || hstate < config.hstates)
		return;
	index = (hstate - config.hstates) / bpf_core_type_size(struct hstate);
	css = word_at((u64)set + bpf_core_field_offset(struct css_set, subsys) +
		      id_of_hugetlb_group() * 8);
	if (!css || index > 3)
		return;
	index = index * size - bpf_core_field_offset(struct hugetlb_cgroup, css);
	find_nearest(&nearest, css, bpf_core_field_offset(struct hugetlb_cgroup, hugepage) + index);
	f->group = nearest.group;
	f->group_usage = nearest.usage;
	f->group_max = nearest.max;
	f->has |= MRT_BACKING_HAS_GROUP;
	find_nearest(&nearest, css,
		     bpf_core_field_offset(struct hugetlb_cgroup, rsvd_hugepage) + index);
	f->group_reserved = nearest.group;
	f->group_reserved_usage = nearest.usage;
	f->group_reserved_max = nearest.max;
	f->has |= MRT_BACKING_HAS_GROUP_RESERVED;
}

/* What alloc_huge_page() (6.5 and later: alloc_hugetlb_folio()) looks at. */
static __noinline void fill_huge(struct mrt_backing_facts *f, u64 vma_address, u64 sb_address)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct super_block *sb = (void *)sb_address;
	struct hugetlbfs_sb_info *info = BPF_CORE_READ(sb, s_fs_info);
	struct hstate *h = BPF_CORE_READ(info, hstate);
	struct hugepage_subpool *spool = BPF_CORE_READ(info, spool);
	u64 private;

	if (!f || !h)
		return;
	f->huge_size = PAGE_SIZE << (BPF_CORE_READ(h, order) & 31);
	f->huge_total = BPF_CORE_READ(h, nr_huge_pages);
	f->huge_free = BPF_CORE_READ(h, free_huge_pages);
	f->huge_reserved = BPF_CORE_READ(h, resv_huge_pages);
	f->huge_surplus = BPF_CORE_READ(h, surplus_huge_pages);
	f->huge_overcommit = BPF_CORE_READ(h, nr_overcommit_huge_pages);
	f->has |= MRT_BACKING_HAS_POOL;
	if (!(BPF_CORE_READ(vma, vm_flags) & VM_MAYSHARE)) {
		private = (u64)BPF_CORE_READ(vma, vm_private_data);
		if (private & 1)
			f->flags |= MRT_BACKING_RESERVE_OWNER;
		if (private & 2)
			f->flags |= MRT_BACKING_RESERVE_UNMAPPED;
	}
	if (spool) {
		f->subpool_max = BPF_CORE_READ(spool, max_hpages);
		f->subpool_used = BPF_CORE_READ(spool, used_hpages);
		f->has |= MRT_BACKING_HAS_SUBPOOL;
	}
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, hugetlb_cgrp_id) &&
	    bpf_core_type_exists(struct hugetlb_cgroup))
		fill_group(f, (u64)h);
}

static __always_inline void prepare_backing(struct mrt_backing *r, u64 address)
{
	clear_record(r, BACKING_FIXED);
	r->h.size = BACKING_FIXED;
	r->facts.address = address;
}

/* All but a path. */
static __always_inline void fill_backing(struct mrt_backing_facts *f, u32 hook, u64 vma_address,
					 u64 inode_address)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct inode *inode = (void *)inode_address;
	u64 flags = BPF_CORE_READ(vma, vm_flags);
	struct super_block *sb;

	if (!f)
		return;
	sb = BPF_CORE_READ(inode, i_sb);
	f->identity = (u64)BPF_CORE_READ(sb, s_fs_info);
	f->device = BPF_CORE_READ(sb, s_dev);
	f->has |= MRT_BACKING_HAS_DEVICE;
	if (flags & VM_HUGETLB)
		fill_huge(f, vma_address, (u64)sb);
	else if (BPF_CORE_READ(sb, s_magic) == TMPFS_MAGIC)
		fill_blocks(f, (u64)BPF_CORE_READ(sb, s_fs_info));
	if (flags & VM_SHARED && flags & VM_WRITE && hook == MRT_HOOK_UMEM_GET)
		fill_writes(f, vma_address, inode_address);
}

/* Without what follows a path, so that its room is not asked for where there is none. */
__noinline int send_facts(u32 hook, u64 address, u64 vma, u64 inode)
{
	struct mrt_backing *r = evidence(hook, MRT_KIND_BACKING, BACKING_FIXED);

	if (!r)
		return 0;
	prepare_backing(r, address);
	fill_backing(&r->facts, hook, vma, inode);
	send_evidence(r, hook);
	return 0;
}

__noinline int send_facts_and_path(u32 hook, u64 address, u64 vma, u64 inode, u64 dentry)
{
	struct vm_area_struct *area = (void *)vma;
	struct file *file = BPF_CORE_READ(area, vm_file);
	struct backing_room *room;

	room = evidence(hook, MRT_KIND_BACKING, sizeof(*room));
	if (!room)
		return 0;
	prepare_backing(&room->backing, address);
	fill_backing(&room->backing.facts, hook, vma, inode);
	if (!dentry)
		dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	/* its mount is the layer alone, and mounted nowhere: up to the file system's root */
	read_path(room->backing.path, &room->cursor, dentry, 0);
	room->backing.facts.has |= MRT_BACKING_HAS_PATH;
	if (room->cursor.cut)
		room->backing.facts.flags |= MRT_BACKING_PATH_CUT;
	room->backing.path_size = room->cursor.at;
	room->backing.h.size = BACKING_FIXED + room->backing.path_size;
	send_evidence(room, hook);
	return 0;
}

/* Is anything of this mapping worth a record? */
static __always_inline bool backing_matters(u32 hook, u64 flags, u64 magic)
{
	if (hook == MRT_HOOK_WALK_TEST)
		return false;
	if (flags & VM_HUGETLB || magic == TMPFS_MAGIC)
		return true;
	return hook == MRT_HOOK_UMEM_GET && flags & VM_SHARED && flags & VM_WRITE;
}

/* Of a mapping of a file, after its own record. */
__noinline int send_backing(u32 hook, u64 address, u64 vma_address)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	u64 file_address = (u64)file;
	struct inode *inode = BPF_CORE_READ(file, f_mapping, host);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	struct backing_file *backing = NULL;
	u64 dentry = 0;

	if (user_path(file_address) != file_address + bpf_core_field_offset(struct file, f_path))
		return send_facts_and_path(hook, address, vma_address, (u64)inode, 0);
	if (!bpf_core_field_exists(backing->user_path) &&
	    BPF_CORE_READ(file, f_path.dentry, d_sb) != sb)
		dentry = name_of_inode((u64)inode);
	if (dentry)
		return send_facts_and_path(hook, address, vma_address, (u64)inode, dentry);
	if (backing_matters(hook, BPF_CORE_READ(vma, vm_flags), BPF_CORE_READ(sb, s_magic)))
		return send_facts(hook, address, vma_address, (u64)inode);
	return 0;
}

/* Of a tmpfs that has no block for a page: its struct shmem_sb_info. */
__noinline int send_full_tmpfs(u32 hook, u64 info)
{
	struct mrt_backing *r = evidence(hook, MRT_KIND_BACKING, BACKING_FIXED);

	if (!r)
		return 0;
	prepare_backing(r, 0);
	r->facts.identity = info;
	fill_blocks(&r->facts, info);
	send_evidence(r, hook);
	return 0;
}

/* Of another file system that has none. */
__noinline int send_full(u32 hook, u64 sb_address)
{
	struct super_block *sb = (void *)sb_address;
	struct mrt_backing *r = evidence(hook, MRT_KIND_BACKING, BACKING_FIXED);

	if (!r)
		return 0;
	prepare_backing(r, 0);
	r->facts.identity = (u64)BPF_CORE_READ(sb, s_fs_info);
	r->facts.device = BPF_CORE_READ(sb, s_dev);
	r->facts.has |= MRT_BACKING_HAS_DEVICE;
	send_evidence(r, hook);
	return 0;
}

/* Of a mapping of huge pages whose fault has just failed. */
static __always_inline void send_huge(u32 hook, u64 address, u64 vma_address)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct file *file = BPF_CORE_READ(vma, vm_file);

	if (file)
		send_facts(hook, address, vma_address, (u64)BPF_CORE_READ(file, f_mapping, host));
}

#endif
