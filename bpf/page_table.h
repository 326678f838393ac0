/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading page tables (x86-64, 4 and 5 levels) through the direct map. The
 * entries are recorded raw; what their bits mean is the agent's business
 * (Model/PageTableEntry.swift), so only presence and leaf are tested here.
 */
#ifndef MRTRACE_PAGE_TABLE_H
#define MRTRACE_PAGE_TABLE_H

#define PAGE_SHIFT     12
#define PMD_SHIFT      21
#define PUD_SHIFT      30
#define P4D_SHIFT      39
#define PAGE_SIZE      (1ul << PAGE_SHIFT)
#define PMD_SIZE       (1ul << PMD_SHIFT)
#define ENTRY_PRESENT  0x1ull
#define ENTRY_RW       0x2ull
#define ENTRY_LEAF     0x80ull
#define ENTRY_PROTNONE 0x100ull
#define ENTRY_ADDRESS  0x000ffffffffff000ull

struct paging {
	u64 direct_map;
	u64 physical_mask;
	u32 pgd_shift;
};

static __always_inline void paging_of_kernel(struct paging *p)
{
	u32 shift = 0;

	/* without RANDOMIZE_MEMORY, DYNAMIC_PHYSICAL_MASK or X86_5LEVEL: constants */
	p->direct_map = 0;
	p->physical_mask = ENTRY_ADDRESS;
	p->pgd_shift = P4D_SHIFT;
	if (config.pgdir_shift && !read_kernel(&shift, sizeof(shift), (void *)config.pgdir_shift))
		p->pgd_shift = shift;
	if (config.page_offset_base)
		read_kernel(&p->direct_map, sizeof(p->direct_map), (void *)config.page_offset_base);
	if (!p->direct_map)
		p->direct_map = p->pgd_shift == P4D_SHIFT ? 0xffff888000000000ull
							  : 0xff11000000000000ull;
	if (config.physical_mask)
		read_kernel(&p->physical_mask, sizeof(p->physical_mask),
			    (void *)config.physical_mask);
}

static __always_inline u64 table_of(struct paging *p, u64 entry)
{
	return p->direct_map + (entry & p->physical_mask & ENTRY_ADDRESS);
}

/* Where the PTE of `address` stands in the table that `pmd` points to. */
static __always_inline u64 pte_in(u64 pmd, u64 address)
{
	struct paging p;

	paging_of_kernel(&p);
	return table_of(&p, pmd) + ((address >> PAGE_SHIFT) & 511) * 8;
}

static __always_inline bool read_entry(u64 table, u64 address, u32 shift, u64 *out)
{
	u64 at = table + ((address >> shift) & 511) * 8;

	return !read_kernel(out, sizeof(*out), (void *)at);
}

static __always_inline bool is_table(u64 entry)
{
	return (entry & ENTRY_PRESENT) && !(entry & ENTRY_LEAF);
}

/*
 * Entries on the way to `address`, as far down as there are tables. Returns the
 * address of the PTE table (kernel virtual), or 0 when there is none.
 */
static __always_inline u64 read_levels(u64 mm_address, u64 address, struct mrt_levels *out)
{
	struct mm_struct *mm = (void *)mm_address;
	struct paging p;
	u64 table, entry;

	paging_of_kernel(&p);
	out->address = address & ~(PAGE_SIZE - 1);
	out->pgd = out->p4d = out->pud = out->pmd = out->pte = 0;
	out->read = 0;
	out->paging_levels = p.pgd_shift == P4D_SHIFT ? 4 : 5;

	table = (u64)BPF_CORE_READ(mm, pgd);
	if (!read_entry(table, address, p.pgd_shift & 63, &entry))
		return 0;
	out->pgd = entry;
	out->read |= MRT_LEVEL_PGD;
	if (!(entry & ENTRY_PRESENT))
		return 0;
	if (p.pgd_shift != P4D_SHIFT) {
		if (!read_entry(table_of(&p, entry), address, P4D_SHIFT, &entry))
			return 0;
		out->p4d = entry;
		out->read |= MRT_LEVEL_P4D;
		if (!(entry & ENTRY_PRESENT))
			return 0;
	}
	if (!read_entry(table_of(&p, entry), address, PUD_SHIFT, &entry))
		return 0;
	out->pud = entry;
	out->read |= MRT_LEVEL_PUD;
	if (!is_table(entry))
		return 0;
	if (!read_entry(table_of(&p, entry), address, PMD_SHIFT, &entry))
		return 0;
	out->pmd = entry;
	out->read |= MRT_LEVEL_PMD;
	if (!is_table(entry))
		return 0;
	table = table_of(&p, entry);
	if (!read_entry(table, address, PAGE_SHIFT, &entry))
		return 0;
	out->pte = entry;
	out->read |= MRT_LEVEL_PTE;
	return table;
}

/*
 * This and the other senders are global functions of plain numbers: the verifier
 * looks at each once, not on every path that leads here. They find the operation
 * in flight by themselves.
 */
__noinline int send_levels(u32 hook, u64 mm, u64 address)
{
	struct mrt_levels *r = evidence(hook, MRT_KIND_LEVELS, sizeof(*r));

	if (!r)
		return 0;
	read_levels(mm, address, r);
	send_evidence(r, hook);
	return 0;
}

/* A fault would still be wanted for this entry: the page is not there as asked. */
static __always_inline bool wants_fault(u64 entry, bool write)
{
	if (!(entry & ENTRY_PRESENT))
		return true;
	return write && !(entry & ENTRY_RW);
}

/*
 * `count` 8-byte entries from kernel address `from`, for the pages from
 * `address` on. Ring-buffer space is asked for in constant sizes: three.
 */
#define SEND_ENTRIES(capacity)                                                                 \
	do {                                                                                   \
		struct mrt_entries *r = evidence(hook, MRT_KIND_ENTRIES, 64 + 8 * (capacity)); \
		if (!r)                                                                        \
			return 0;                                                              \
		r->address = address;                                                          \
		r->what = what & 0xff;                                                         \
		r->search = what >> 8;                                                         \
		r->reserved = 0;                                                               \
		bytes = count * 8;                                                             \
		barrier_var(bytes); /* the verifier must see the check */                      \
		if (bytes > 8 * (capacity) ||                                                  \
		    bpf_probe_read_kernel(r->values, bytes, (void *)from)) {                   \
			bpf_ringbuf_discard(r, 0);                                             \
			return 0;                                                              \
		}                                                                              \
		r->count = bytes / 8;                                                          \
		r->h.size = 64 + bytes;                                                        \
		send_evidence(r, hook);                                                        \
	} while (0)

/* what: enum mrt_entries_what, and in the second byte what the search was for */
__noinline int send_entries(u32 hook, u32 what, u64 address, u64 from, u32 count)
{
	u32 bytes;

	if (count <= 16)
		SEND_ENTRIES(16);
	else if (count <= 64)
		SEND_ENTRIES(64);
	else
		SEND_ENTRIES(512);
	return 0;
}

/*
 * The PMD entry of an address; 0 where the walk ends above it. Global, like
 * first_wanting(): the verifier looks at it once.
 */
__noinline u64 pmd_of(u64 mm_address, u64 address)
{
	struct mm_struct *mm = (void *)mm_address;
	struct paging p;
	u64 entry;

	paging_of_kernel(&p);
	if (!read_entry((u64)BPF_CORE_READ(mm, pgd), address, p.pgd_shift & 63, &entry) ||
	    !(entry & ENTRY_PRESENT))
		return 0;
	if (p.pgd_shift != P4D_SHIFT &&
	    (!read_entry(table_of(&p, entry), address, P4D_SHIFT, &entry) ||
	     !(entry & ENTRY_PRESENT)))
		return 0;
	if (!read_entry(table_of(&p, entry), address, PUD_SHIFT, &entry) || !is_table(entry))
		return 0;
	if (!read_entry(table_of(&p, entry), address, PMD_SHIFT, &entry))
		return 0;
	return entry;
}

/* Entries are read eight at a time: as many as stand in 64 bytes, which cross no page. */
#define BLOCK 8

/*
 * Of the entries first to last - 1 of a block the first that a fault is still wanted
 * for, or BLOCK. Bits, not branches: each would be two paths for the verifier.
 */
__noinline u32 wanting_of_block(u64 block, u32 first, u32 last, u32 write)
{
	u64 entries[BLOCK], wanting = 0;
	u32 i;

	if (read_kernel(entries, sizeof(entries), (void *)block))
		return BLOCK;
	write = write ? ENTRY_RW : 0;
	for (i = 0; i < BLOCK; i++)
		wanting |= (~entries[i] & ENTRY_PRESENT) << i | (~entries[i] & write) >> 1 << i;
	if (last < BLOCK)
		wanting &= (1u << last) - 1;
	wanting = wanting >> (first & (BLOCK - 1)) << (first & (BLOCK - 1));
	for (i = 0; i < BLOCK; i++)
		if (wanting >> i & 1)
			return i;
	return BLOCK;
}

/* Index of the first of `count` entries that a fault is still wanted for, or `count`. */
__noinline u32 first_wanting(u64 from, u32 count, u32 write)
{
	u32 before = (from & (8 * BLOCK - 1)) / 8, end = before + count, at = 0;
	u32 first = before, found = BLOCK;

	from -= before * 8;
	AT_MOST(512 / BLOCK + 1,
		if (at >= end)
			break;
		found = wanting_of_block(from + (u64)at * 8, first, end - at, write);
		if (found < BLOCK)
			break;
		first = 0;
		at += BLOCK;
	);
	return found < BLOCK ? at + found - before : count;
}

/* Pages from `address` on in its page table, as far as `end`. */
static __always_inline u64 pages_in_table(u64 address, u64 end)
{
	u64 pages = 512 - ((address >> PAGE_SHIFT) & 511), wanted = (end - address) >> PAGE_SHIFT;

	return pages < wanted ? pages : wanted;
}

#define FOUND 1ull /* beside an address, of which it is no part */

/*
 * The first page from `address` on, in one page table, that a fault is still wanted
 * for, with FOUND; or where the next table begins.
 */
__noinline u64 next_wanting(u64 mm, u64 address, u64 end, u32 write)
{
	u64 pmd = pmd_of(mm, address), pages;
	u32 found;

	address &= ~(PAGE_SIZE - 1);
	if (!is_table(pmd)) {
		if (wants_fault(pmd, write)) /* no table: `address` itself is the page */
			return address | FOUND;
		return (address + PMD_SIZE) & ~(PMD_SIZE - 1);
	}
	pages = pages_in_table(address, end);
	found = first_wanting(pte_in(pmd, address), pages, write);
	if (found < pages)
		return (address + (u64)found * PAGE_SIZE) | FOUND;
	return (address + PMD_SIZE) & ~(PMD_SIZE - 1);
}

/* As above, of so many tables: how far it came, or the page with FOUND. */
#define SEARCH_STEP 16

__noinline u64 next_wanting_of_some(u64 mm, u64 address, u64 end, u32 write)
{
	u32 i;

	for (i = 0; i < SEARCH_STEP; i++) {
		if (address & FOUND || address >= end)
			break;
		address = next_wanting(mm, address, end, write);
	}
	return address;
}

/*
 * Where did faulting stop? Pages of [address, end) are faulted in order, so the
 * first that is not there as asked is the one whose fault failed. Sends the
 * table it is in and the levels of its address. Gives up after SEARCH_TABLES
 * tables (a witness is then needed to name the page) and says nothing.
 */
#define SEARCH_TABLES 128

__noinline int send_unfaulted(u32 hook, u64 mm, u64 address, u64 end, u32 write)
{
	u32 what = MRT_ENTRIES_PTE | MRT_ENTRIES_FAULTED << 8;
	u64 found = address & ~(PAGE_SIZE - 1), pmd;
	u32 i;

	for (i = 0; i < SEARCH_TABLES / SEARCH_STEP; i++) {
		if (found & FOUND || found >= end)
			break;
		found = next_wanting_of_some(mm, found, end, write);
	}
	if (!(found & FOUND))
		return 0;
	found &= ~FOUND;
	/* its table, from where the search came into it */
	if (address >> PMD_SHIFT != found >> PMD_SHIFT)
		address = found & ~(PMD_SIZE - 1);
	pmd = pmd_of(mm, address);
	if (is_table(pmd))
		send_entries(hook, what, address, pte_in(pmd, address),
			     pages_in_table(address, end));
	send_levels(hook, mm, found);
	return 0;
}

#endif
