/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording a VMA with its file. */
#ifndef MRTRACE_MAPPING_H
#define MRTRACE_MAPPING_H

static __always_inline bool vma_is_fsdax(struct vm_area_struct *vma)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct inode *inode;

	if (!file)
		return false;
	inode = BPF_CORE_READ(file, f_mapping, host);
	if (!(BPF_CORE_READ(inode, i_flags) & S_DAX))
		return false;
	inode = BPF_CORE_READ(file, f_inode);
	return (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFCHR;
}

#define WITHOUT_PATH (sizeof(struct mrt_mapping) - MRT_PATH_MAX)
struct mapping_room {
	struct mrt_mapping mapping;
	struct path_cursor cursor;
};

static __noinline void read_file(struct mapping_room *room, u64 file_address)
{
	struct file *file = (void *)file_address;
	struct path *path = (void *)user_path(file_address);
	struct super_block *sb;
	struct inode *inode;
	struct mrt_mapping *r;

	if (!room)
		return;
	r = &room->mapping;
	inode = BPF_CORE_READ(file, f_mapping, host);
	sb = BPF_CORE_READ(inode, i_sb);
	r->flags |= MRT_MAPPING_HAS_FILE;
	r->inode = BPF_CORE_READ(inode, i_ino);
	r->file_size = BPF_CORE_READ(inode, i_size);
	r->inode_flags = BPF_CORE_READ(inode, i_flags);
	r->mode = BPF_CORE_READ(inode, i_mode);
	r->device = BPF_CORE_READ(sb, s_dev);
	r->fs_magic = BPF_CORE_READ(sb, s_magic);
	bpf_probe_read_kernel_str(r->filesystem, sizeof(r->filesystem),
				  BPF_CORE_READ(sb, s_type, name));
	bpf_core_read_str(r->block_device, sizeof(r->block_device), &sb->s_id);
	read_path(r->path, &room->cursor, (u64)BPF_CORE_READ(path, dentry),
		  (u64)BPF_CORE_READ(path, mnt));
	if (room->cursor.cut)
		r->flags |= MRT_MAPPING_PATH_CUT;
	r->path_size = room->cursor.at;
	r->h.size = WITHOUT_PATH + r->path_size;
}

static __always_inline void prepare_mapping(struct mrt_mapping *r, u64 address)
{
	clear_record(r, WITHOUT_PATH);
	r->h.size = WITHOUT_PATH;
	r->address = address;
}

/* There is no mapping: the gap around `address`, and how far it goes. */
__noinline int send_gap(u32 hook, u64 mm, u64 address, u64 low, u64 high)
{
	struct mrt_mapping *r = evidence(hook, MRT_KIND_MAPPING, WITHOUT_PATH);

	if (!r)
		return 0;
	prepare_mapping(r, address);
	r->prev_end = low;
	if (low)
		r->flags |= MRT_MAPPING_HAS_PREV;
	/* the last gap of an address space has no mapping above */
	high++;
	if (high && vma_at(mm, high) > VMA_UNKNOWN) {
		r->next_start = high;
		r->flags |= MRT_MAPPING_HAS_NEXT;
	}
	send_evidence(r, hook);
	return 0;
}

static __noinline void fill_vma(struct mrt_mapping *r, u64 address)
{
	struct vm_area_struct *vma = (void *)address;

	if (!r)
		return;
	r->flags |= MRT_MAPPING_FOUND;
	r->start = BPF_CORE_READ(vma, vm_start);
	r->end = BPF_CORE_READ(vma, vm_end);
	r->vm_flags = BPF_CORE_READ(vma, vm_flags);
	r->pgoff = BPF_CORE_READ(vma, vm_pgoff);
	if (!BPF_CORE_READ(vma, vm_ops))
		r->flags |= MRT_MAPPING_ANON;
	if (r->vm_flags & VM_HUGETLB)
		r->flags |= MRT_MAPPING_HUGETLB;
	if (vma_is_fsdax(vma))
		r->flags |= MRT_MAPPING_FSDAX;
}

__noinline int send_vma(u32 hook, u64 address, u64 vma)
{
	struct mrt_mapping *r = evidence(hook, MRT_KIND_MAPPING, WITHOUT_PATH);

	if (!r)
		return 0;
	prepare_mapping(r, address);
	fill_vma(r, vma);
	send_evidence(r, hook);
	return 0;
}

__noinline int send_vma_and_file(u32 hook, u64 address, u64 vma, u64 file)
{
	struct mapping_room *room;

	room = evidence(hook, MRT_KIND_MAPPING, sizeof(*room));
	if (!room)
		return 0;
	prepare_mapping(&room->mapping, address);
	fill_vma(&room->mapping, vma);
	read_file(room, file);
	send_evidence(room, hook);
	return 0;
}

/*
 * The mapping that holds `address`; `vma_address` 0: look it up, and if there is
 * none, record how far the gap goes. Returns the mapping if it has a file, else 0.
 */
__noinline u64 send_mapping_alone(u32 hook, u64 mm, u64 address, u64 vma_address)
{
	struct vma_found found = { .vma = vma_address };
	struct vm_area_struct *vma;
	u64 file;

	if (!vma_address && !look_up(mm, address, &found))
		return 0;
	vma = (void *)found.vma;
	if (!vma) {
		send_gap(hook, mm, address, found.low, found.high);
		return 0;
	}
	file = (u64)BPF_CORE_READ(vma, vm_file);
	if (!file) {
		send_vma(hook, address, (u64)vma);
		return 0;
	}
	send_vma_and_file(hook, address, (u64)vma, file);
	return (u64)vma;
}

/* The same with what stands behind it: not one in the other, calls nest eight deep at most. */
static __always_inline void send_mapping(u32 hook, u64 mm, u64 address, u64 vma_address)
{
	u64 vma = send_mapping_alone(hook, mm, address, vma_address);

	if (vma)
		send_backing(hook, address, vma);
}

#endif
