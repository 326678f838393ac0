/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding a VMA without helpers that need locks or a task (5.10 to 7.3). */
#ifndef MRTRACE_VMA_H
#define MRTRACE_VMA_H

/* include/linux/maple_tree.h, the same from 6.1 to 7.3 on 64 bit */
#define MAPLE_LEAF_64      1
#define MAPLE_ARANGE_64    3
#define MAPLE_PIVOTS       8 /* offset of pivot[] in a node */
#define MAPLE_RANGE_SLOTS  128 /* offset of slot[16] */
#define MAPLE_ARANGE_SLOTS 80 /* offset of slot[10] */

#define VMA_UNKNOWN 1ull /* no VMA has this address */

struct vma_found {
	u64 vma; /* 0: no mapping holds the address */
	u64 low; /* the gap (or mapping) around it: first … */
	u64 high; /* … and last address, inclusive */
};

/* Of a node as its parent has it: with its type. */
static __always_inline u32 maple_pivots(u64 entry)
{
	return ((entry >> 3) & 0xf) == MAPLE_ARANGE_64 ? 9 : 15;
}

/*
 * Which slot of a node holds `address`? MAPLE_NONE: it cannot be read. This and the
 * next are global functions, so that the verifier looks at them once and not on
 * every path that leads here.
 */
#define MAPLE_NONE 16

__noinline u32 maple_slot(u64 entry, u64 address)
{
	u32 type = (entry >> 3) & 0xf, pivots = maple_pivots(entry), i;
	void *at = (void *)((entry & ~0xffull) + MAPLE_PIVOTS);
	u64 all[15], pivot;

	if (entry < 4096 || type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64)
		return MAPLE_NONE;
	if (!config.plain_loads && bpf_probe_read_kernel(all, sizeof(all), at))
		return MAPLE_NONE;
	for (i = 0; i < 15; i++) {
		if (i >= pivots)
			break;
		/* a zero pivot ends the data: the slot is the last one */
		pivot = config.plain_loads ? LOAD(u64, at, i) : all[i];
		if ((!pivot && i) || address <= pivot)
			return i;
	}
	return pivots;
}

enum maple_what {
	MAPLE_VALUE, /* a VMA or 0, or the next node; VMA_UNKNOWN: it cannot be read */
	MAPLE_FIRST, /* first address, 0: this node says none */
	MAPLE_LAST, /* last address, 0: this node says none */
};

/* Of a slot of a node. */
__noinline u64 maple_slot_has(u64 entry, u32 slot, u32 what)
{
	u64 node = entry & ~0xffull, at, value;
	u32 pivots = maple_pivots(entry);

	if (what == MAPLE_VALUE)
		at = pivots == 9 ? MAPLE_ARANGE_SLOTS : MAPLE_RANGE_SLOTS;
	else if (what == MAPLE_FIRST && slot)
		at = MAPLE_PIVOTS - 8;
	else if (what == MAPLE_LAST && slot < pivots)
		at = MAPLE_PIVOTS;
	else
		return 0;
	if (read_kernel(&value, sizeof(value), (void *)(node + at + (u64)slot * 8)))
		return what == MAPLE_VALUE ? VMA_UNKNOWN : 0;
	return what == MAPLE_FIRST ? value + 1 : value;
}

#define MAPLE_DEPTH 10

static __noinline int maple_find(u64 entry, u64 address, struct vma_found *out)
{
	u32 slot, found = 0;
	u64 bound, value;

	if (!out)
		return 0;
	out->vma = 0;
	out->low = 0;
	out->high = ~0ull;
	/* the root says by its low bits that it is a node; a lone entry is none */
	if ((entry & 3) != 2)
		return 0;
	AT_MOST(MAPLE_DEPTH,
		slot = maple_slot(entry, address);
		if (slot == MAPLE_NONE)
			break;
		value = maple_slot_has(entry, slot, MAPLE_VALUE);
		if (value == VMA_UNKNOWN)
			break;
		bound = maple_slot_has(entry, slot, MAPLE_FIRST);
		if (bound)
			out->low = bound;
		bound = maple_slot_has(entry, slot, MAPLE_LAST);
		if (bound)
			out->high = bound;
		if (((entry >> 3) & 0xf) == MAPLE_LEAF_64) {
			out->vma = value;
			found = 1;
			break;
		}
		entry = value;
	);
	return found;
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
		return maple_find((u64)BPF_CORE_READ(mm, mm_mt.ma_root), address, out);
	return rb_find(mm_address, address, out);
}

/*
 * The VMA that holds `address`, 0 if none does, VMA_UNKNOWN if the tree could not
 * be read. Global for the verifier's sake, as are the others below.
 */
__noinline u64 vma_at(u64 mm, u64 address)
{
	struct vma_found found = {};

	return look_up(mm, address, &found) ? found.vma : VMA_UNKNOWN;
}

#endif
