/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flags against outcomes: what the entries of walked pages said, counted by how
 * their walk ended. Counts only, no records: the agent reads them at the end.
 */
#ifndef MRTRACE_PAGES_H
#define MRTRACE_PAGES_H

/* Of walks that succeed: the first so many on a CPU, then at random one of so many. */
#define SAMPLE MRT_PAGES_SAMPLE

#define ENTRY_MARKERS 8			/* a swap offset below is a marker's own */
#define ENTRY_SWAP_OFFSET 0x07fffffffffffe00ull	/* inverted: all ones is 0 */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 512);
	__type(key, struct mrt_pages_key);
	__type(value, u64);	/* 4 KiB pages */
} pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);	/* walks that succeeded */
} accepted_walks SEC(".maps");

/* The entry without what differs from page to page: frame, or place in swap. */
static __always_inline u64 flags_of_entry(u64 entry)
{
	if (!entry)
		return 0;
	if (entry & (ENTRY_PRESENT | ENTRY_PROTNONE))
		return entry & ~ENTRY_ADDRESS;
	if (((~entry & ENTRY_SWAP_OFFSET) >> 9) < ENTRY_MARKERS)
		return entry;
	return entry | ENTRY_SWAP_OFFSET;
}

/*
 * Pages under an entry. how: outcome, level in the second byte, weight in the
 * third. These are global functions of plain numbers: what one of them found out
 * of an entry would be another state of the loop for older verifiers.
 */
__noinline int add_pages(u64 entry, u32 how, u64 count)
{
	struct mrt_pages_key key = {
		.bits = flags_of_entry(entry),
		.outcome = how & 0xff,
		.level = how >> 8 & 0xff,
		.weight = how >> 16 & 0xff,
	};
	u64 *have = bpf_map_lookup_elem(&pages, &key);

	if (have)
		*have += count;
	else if (bpf_map_update_elem(&pages, &key, &count, BPF_ANY))
		count_untracked(MRT_HOOK_WALK_PMD);
	return 0;
}

__noinline int add_page(u64 from, u32 how)
{
	u64 entry;

	if (bpf_probe_read_kernel(&entry, sizeof(entry), (void *)from))
		return 0;
	return add_pages(entry, how, 1);
}

/* The pages of [start, end) under this PMD entry. */
__noinline int count_pages(u64 pmd, u64 start, u64 end, u32 how)
{
	u64 from, count = (end - start) >> PAGE_SHIFT;
	struct paging p;
	u32 i;

	/* where there is no entry hmm_vma_walk_hole() decides */
	if (!pmd || end <= start || count > 512)
		return 0;
	if (!is_table(pmd))
		return add_pages(pmd, how | MRT_LEVEL_PMD << 8, count);
	paging_of_kernel(&p);
	from = table_of(&p, pmd) + ((start >> PAGE_SHIFT) & 511) * 8;
	for (i = 0; i < 512; i++) {
		if (i >= count)
			break;
		add_page(from + (u64)i * 8, how | MRT_LEVEL_PTE << 8);
	}
	return 0;
}

/*
 * A walk has succeeded. Nearly always this is one count and one random number: a
 * fixed step would fall into step with a program that registers and prefetches
 * in turn. A walk that asks for no fault (a snapshot) accepts every entry, which
 * says nothing of it.
 */
static __always_inline void sample_accepted(struct mm_walk *mm_walk, u64 pmdp,
					    u64 start, u64 end)
{
	struct hmm_vma_walk *walk;
	struct in_flight *op;
	u64 *walks, pmd = 0;
	u32 key = 0;

	walks = bpf_map_lookup_elem(&accepted_walks, &key);
	if (!walks)
		return;
	*walks += 1;
	if (*walks > SAMPLE && bpf_get_prandom_u32() & (SAMPLE - 1))
		return;
	op = in_flight();
	if (!op || op->muted)
		return;
	walk = BPF_CORE_READ(mm_walk, private);
	if (!(BPF_CORE_READ(walk, range, default_flags) &
	      (HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE)))
		return;
	bpf_probe_read_kernel(&pmd, sizeof(pmd), (void *)pmdp);
	count_pages(pmd, start, end,
		    MRT_PAGES_ACCEPTED | (*walks > SAMPLE ? SAMPLE : 1) << 16);
}

#endif
