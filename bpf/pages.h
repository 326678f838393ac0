/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flags against outcomes: what the entries of walked pages said, counted by how
 * their walk ended. Counts only, no records: the agent reads them at the end.
 */
#ifndef MRTRACE_PAGES_H
#define MRTRACE_PAGES_H

/* Of walks that succeed: the first so many on a CPU, then at random one of so many. */
#define SAMPLE MRT_PAGES_SAMPLE

#define ENTRY_MARKERS     8 /* a swap offset below is a marker's own */
#define ENTRY_SWAP_OFFSET 0x07fffffffffffe00ull /* inverted: all ones is 0 */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 512);
	__type(key, struct mrt_pages_key);
	__type(value, u64); /* 4 KiB pages */
} pages SEC(".maps");

struct accepted_walks {
	u64 count; /* walks that succeeded */
	u64 random; /* state of the generator */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct accepted_walks);
} accepted_walks SEC(".maps");

/*
 * The entry without what differs from page to page: frame, or place in swap. This
 * and the next are global functions of plain numbers: what one of them found out
 * of an entry would be another state of the loop for older verifiers.
 */
__noinline u64 flags_of_entry(u64 entry)
{
	if (!entry)
		return 0;
	if (entry & (ENTRY_PRESENT | ENTRY_PROTNONE))
		return entry & ~ENTRY_ADDRESS;
	if (((~entry & ENTRY_SWAP_OFFSET) >> 9) < ENTRY_MARKERS)
		return entry;
	return entry | ENTRY_SWAP_OFFSET;
}

/* how: outcome, level in the second byte, weight in the third. */
__noinline int add_pages(u64 flags, u32 how, u64 count)
{
	struct mrt_pages_key key = {
		.bits = flags,
		.outcome = how & 0xff,
		.level = how >> 8 & 0xff,
		.weight = how >> 16 & 0xff,
	};
	u64 *have;

	if (!count)
		return 0;
	have = bpf_map_lookup_elem(&pages, &key);
	if (have)
		*have += count;
	else if (bpf_map_update_elem(&pages, &key, &count, BPF_ANY))
		count_untracked(MRT_HOOK_WALK_PMD);
	return 0;
}

static __always_inline bool same_flags(u64 entry, u64 other)
{
	if (entry & other & ENTRY_PRESENT)
		return !((entry ^ other) & ~ENTRY_ADDRESS);
	return flags_of_entry(entry) == flags_of_entry(other);
}

/* How many entries of a block, from `first` on, have the flags of `entry`. */
__noinline u32 same_in_block(u64 block, u32 first, u64 entry)
{
	u64 entries[BLOCK];
	u32 i;

	if (read_kernel(entries, sizeof(entries), (void *)block))
		return 0;
	for (i = 0; i < BLOCK; i++)
		if (i >= first && !same_flags(entries[i], entry))
			return i - first;
	return BLOCK - first;
}

/* How many of `count` entries from `from` on have the flags of the first, `entry`. */
__noinline u32 same_from(u64 from, u32 count, u64 entry)
{
	u32 first = (from & (8 * BLOCK - 1)) / 8, done = 0, same;

	from -= first * 8;
	AT_MOST(512 / BLOCK + 1,
		if (done >= count)
			break;
		same = same_in_block(from, first, entry);
		done += same;
		if (same < BLOCK - first)
			break;
		first = 0;
		from += 8 * BLOCK;
	);
	return done < count ? done : count;
}

/* Neighbours with the same flags are counted at once: so many times, and again for what is left. */
#define RUNS 32

/* Returns how many of `count` entries from `from` on have been counted. */
__noinline u32 count_runs(u64 from, u32 count, u32 how)
{
	u32 done = 0, same;
	u64 entry;

	AT_MOST(RUNS,
		if (done >= count ||
		    read_kernel(&entry, sizeof(entry), (void *)(from + (u64)done * 8)))
			break;
		same = same_from(from + (u64)done * 8, count - done, entry);
		if (!same)
			break;
		add_pages(flags_of_entry(entry), how, same);
		done += same;
	);
	return done;
}

__noinline int count_entries(u64 from, u32 count, u32 how)
{
	u32 done = 0, some;

	AT_MOST(512 / RUNS,
		if (done >= count)
			break;
		some = count_runs(from + (u64)done * 8, count - done, how);
		if (!some)
			break;
		done += some;
	);
	return 0;
}

/* The pages of [start, end) under this PMD entry. */
__noinline int count_pages(u64 pmd, u64 start, u64 end, u32 how)
{
	u64 count = (end - start) >> PAGE_SHIFT;

	/* where there is no entry hmm_vma_walk_hole() decides */
	if (!pmd || end <= start || count > 512)
		return 0;
	if (!is_table(pmd))
		return add_pages(flags_of_entry(pmd), how | MRT_LEVEL_PMD << 8, count);
	return count_entries(pte_in(pmd, start), count, how | MRT_LEVEL_PTE << 8);
}

/*
 * A walk has succeeded. Nearly always this is one count and one random number: a
 * fixed step would fall into step with a program that registers and prefetches
 * in turn. The number is Knuth's MMIX generator's, whose upper bits are good enough
 * for that and cost a twentieth of the kernel's own. A walk that asks for no fault
 * (a snapshot) accepts every entry, which says nothing of it.
 */
static __always_inline void sample_accepted(struct mm_walk *mm_walk, u64 pmdp, u64 start, u64 end)
{
	struct hmm_vma_walk *walk;
	struct in_flight *op;
	struct accepted_walks *walks;
	u64 pmd = 0;
	u32 key = 0;

	walks = bpf_map_lookup_elem(&accepted_walks, &key);
	if (!walks)
		return;
	walks->count++;
	walks->random = walks->random * 6364136223846793005ull + 1442695040888963407ull;
	if (walks->count > SAMPLE && walks->random >> 32 & (SAMPLE - 1))
		return;
	op = in_flight();
	if (!op || op->muted)
		return;
	walk = BPF_CORE_READ(mm_walk, private);
	if (!(BPF_CORE_READ(walk, range, default_flags) & (HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE)))
		return;
	read_kernel(&pmd, sizeof(pmd), (void *)pmdp);
	count_pages(pmd, start, end,
		    MRT_PAGES_ACCEPTED | (walks->count > SAMPLE ? SAMPLE : 1) << 16);
}

#endif
