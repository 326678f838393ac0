/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding a VMA without helpers that need locks or a task (5.10 to 7.3), and
 * recording it with its file.
 */
#ifndef MRTRACE_MAPPING_H
#define MRTRACE_MAPPING_H

/* include/linux/maple_tree.h, the same from 6.1 to 7.3 on 64 bit */
#define MAPLE_LEAF_64 1
#define MAPLE_ARANGE_64 3
#define MAPLE_PIVOTS 8		/* offset of pivot[] in a node */
#define MAPLE_RANGE_SLOTS 128	/* offset of slot[16] */
#define MAPLE_ARANGE_SLOTS 80	/* offset of slot[10] */

struct vma_found {
	u64 vma;	/* 0: no mapping holds the address */
	u64 low;	/* the gap (or mapping) around it: first … */
	u64 high;	/* … and last address, inclusive */
};

/*
 * Which slot of a node holds `address`? A global function, so that the verifier
 * looks at its loop once and not on every path that leads here.
 */
__noinline u32 maple_slot(u64 node, u32 pivots, u64 address)
{
	u64 pivot[15];
	u32 i;

	if (bpf_probe_read_kernel(pivot, sizeof(pivot),
				  (void *)(node + MAPLE_PIVOTS)))
		return 0;
	for (i = 0; i < 15; i++) {
		if (i >= pivots)
			break;
		/* a zero pivot ends the data: the slot is the last one */
		if ((!pivot[i] && i) || address <= pivot[i])
			return i;
	}
	return pivots;
}

static __noinline int maple_find(u64 entry, u64 address, struct vma_found *out)
{
	u64 low = 0, high = ~0ull, pivot, value;
	u32 depth, pivots, slot, type;

	if (!out)
		return 0;
	out->vma = 0;
	out->low = low;
	out->high = high;
	/* the root says by its low bits that it is a node; a lone entry is none */
	if ((entry & 3) != 2)
		return 0;
	for (depth = 0; depth < 10; depth++) {
		if (entry < 4096)
			return 0;
		type = (entry >> 3) & 0xf;
		entry &= ~0xffull;
		if (type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64)
			return 0;
		pivots = type == MAPLE_ARANGE_64 ? 9 : 15;
		slot = maple_slot(entry, pivots, address);
		if (slot > pivots)
			return 0;
		if (slot) {
			if (bpf_probe_read_kernel(&pivot, sizeof(pivot),
						  (void *)(entry + MAPLE_PIVOTS +
							   (u64)(slot - 1) * 8)))
				return 0;
			low = pivot + 1;
		}
		if (slot < pivots) {
			if (bpf_probe_read_kernel(&pivot, sizeof(pivot),
						  (void *)(entry + MAPLE_PIVOTS +
							   (u64)slot * 8)))
				return 0;
			if (pivot)
				high = pivot;
		}
		if (bpf_probe_read_kernel(&value, sizeof(value),
					  (void *)(entry + (u64)slot * 8 +
						   (type == MAPLE_ARANGE_64 ?
							    MAPLE_ARANGE_SLOTS :
							    MAPLE_RANGE_SLOTS))))
			return 0;
		if (type == MAPLE_LEAF_64) {
			out->vma = value;
			out->low = low;
			out->high = high;
			return 1;
		}
		entry = value;
	}
	return 0;
}

/*
 * Before 6.1: the red-black tree of VMAs. Not inlined: the compiler would hoist
 * relocations of members that newer kernels do not have out of the dead branch.
 */
static __noinline int rb_find(u64 mm_address, u64 address, struct vma_found *out)
{
	struct mm_struct *mm = (void *)mm_address;
	u64 offset = bpf_core_field_offset(struct vm_area_struct, vm_rb);
	struct rb_node *node = BPF_CORE_READ(mm, mm_rb.rb_node);
	struct vm_area_struct *vma;
	u64 start, stop;
	u32 i;

	if (!out)
		return 0;
	out->vma = 0;
	out->low = 0;
	out->high = ~0ull;
	for (i = 0; i < 48 && node; i++) {
		vma = (void *)((u64)node - offset);
		start = BPF_CORE_READ(vma, vm_start);
		stop = BPF_CORE_READ(vma, vm_end);
		if (address >= stop) {
			out->low = stop;
			node = BPF_CORE_READ(node, rb_right);
		} else if (address < start) {
			out->high = start - 1;
			node = BPF_CORE_READ(node, rb_left);
		} else {
			out->vma = (u64)vma;
			out->low = start;
			out->high = stop - 1;
			break;
		}
	}
	return 1;
}

/* False: the tree could not be read, so nothing is known. */
static __always_inline bool look_up(u64 mm_address, u64 address, struct vma_found *out)
{
	struct mm_struct *mm = (void *)mm_address;

	if (bpf_core_field_exists(mm->mm_mt))
		return maple_find((u64)BPF_CORE_READ(mm, mm_mt.ma_root), address,
				  out);
	return rb_find(mm_address, address, out);
}

#define VMA_UNKNOWN 1ull	/* no VMA has this address */

/*
 * The VMA that holds `address`, 0 if none does, VMA_UNKNOWN if the tree could not
 * be read. Global for the verifier's sake, as are the others below.
 */
__noinline u64 vma_at(u64 mm, u64 address)
{
	struct vma_found found = {};

	return look_up(mm, address, &found) ? found.vma : VMA_UNKNOWN;
}

/* Where no VMA holds `address`: the first address of the gap. */
__noinline u64 gap_start(u64 mm, u64 address)
{
	struct vma_found found = {};

	return look_up(mm, address, &found) && !found.vma ? found.low : 0;
}

/* … and the first address after it; 0 when the gap reaches the end. */
__noinline u64 gap_end(u64 mm, u64 address)
{
	struct vma_found found = {};

	return look_up(mm, address, &found) && !found.vma ? found.high + 1 : 0;
}

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

#define PATH_NAMES 24
#define NAME_SPACE 256

/* The file's path, name by name from the file up, across mounts. */
static __noinline void read_path(struct mrt_mapping *r, u64 file_address)
{
	struct file *file = (void *)file_address;
	struct dentry *dentry, *parent;
	struct vfsmount *vfsmount;
	struct mount *mount, *up;
	u32 i, at = 0;
	long n;

	if (!r)
		return;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	vfsmount = BPF_CORE_READ(file, f_path.mnt);
	mount = (void *)((u64)vfsmount -
			 bpf_core_field_offset(struct mount, mnt));
	for (i = 0; i < PATH_NAMES; i++) {
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			up = BPF_CORE_READ(mount, mnt_parent);
			if (!up || up == mount)
				goto out;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (!parent)
			goto out;
		if (at > MRT_PATH_MAX - NAME_SPACE)
			break;
		n = bpf_probe_read_kernel_str(&r->path[at], NAME_SPACE,
					      BPF_CORE_READ(dentry, d_name.name));
		if (n <= 0 || n > NAME_SPACE)
			goto out;
		at += n;
		if (parent == dentry)	/* no mount above: memfd and its like */
			goto out;
		dentry = parent;
	}
	r->flags |= MRT_MAPPING_PATH_CUT;
out:
	r->path_size = at;
	r->h.size = sizeof(*r) - MRT_PATH_MAX + at;
}

static __noinline void read_file(struct mrt_mapping *r, u64 file_address)
{
	struct file *file = (void *)file_address;
	struct super_block *sb;
	struct inode *inode;

	if (!r)
		return;
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
	read_path(r, file_address);
}

/*
 * The mapping that holds `address`; `vma_address` 0: look it up, and if there is
 * none, record how far the gap goes.
 */
__noinline int send_mapping(u32 hook, u64 mm, u64 address, u64 vma_address)
{
	struct vm_area_struct *vma;
	struct mrt_mapping *r;
	struct file *file;
	u64 above;

	if (!vma_address)
		vma_address = vma_at(mm, address);
	if (vma_address == VMA_UNKNOWN)
		return 0;
	r = record(in_flight(), hook, MRT_KIND_MAPPING, sizeof(*r));
	if (!r)
		return 0;
	__builtin_memset((char *)r + sizeof(r->h), 0,
			 sizeof(*r) - MRT_PATH_MAX - sizeof(r->h));
	r->h.size = sizeof(*r) - MRT_PATH_MAX;
	r->address = address;
	if (!vma_address) {
		r->prev_end = gap_start(mm, address);
		if (r->prev_end)
			r->flags |= MRT_MAPPING_HAS_PREV;
		/* the last gap of an address space has no mapping above */
		above = gap_end(mm, address);
		if (above && vma_at(mm, above) > VMA_UNKNOWN) {
			r->next_start = above;
			r->flags |= MRT_MAPPING_HAS_NEXT;
		}
		send(r, hook);
		return 0;
	}
	vma = (void *)vma_address;
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
	file = BPF_CORE_READ(vma, vm_file);
	if (file)
		read_file(r, (u64)file);
	send(r, hook);
	return 0;
}

#endif
