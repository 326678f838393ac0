/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that migrate_pages() could not move out of ZONE_MOVABLE or CMA memory for a
 * pin: what they are, and what holds them.
 *
 * Kernels: all. struct folio, before 5.16 struct page, which has its members in the
 *   same order. What a large folio has beyond the first page differs: a field that
 *   this kernel does not have is absent.
 */
#ifndef MRTRACE_FOLIO_H
#define MRTRACE_FOLIO_H

#define PAGE_MAPPING_ANON  1ul /* bits of page.mapping, all kernels */
#define PAGE_MAPPING_FLAGS 3ul
#define VMEMMAP_ALIGNMENT  (1ul << PUD_SHIFT) /* kernel_randomize_memory() */

/* Relocations of types and members that some kernels lack are each in a function of their own. */
static __noinline u32 lru_of_folio(void)
{
	return bpf_core_field_offset(struct folio, lru);
}

static __noinline u32 lru_of_page(void)
{
	return bpf_core_field_offset(struct page, lru);
}

static __always_inline bool has_folios(void)
{
	return bpf_core_type_exists(struct folio);
}

static __noinline void fill_page(struct mrt_folio *r, u64 address, u64 *mapping)
{
	struct page *page = (void *)address;

	if (!r || !mapping)
		return;
	r->references = BPF_CORE_READ(page, _refcount.counter);
	r->mappings = BPF_CORE_READ(page, _mapcount.counter) + 1;
	r->index = BPF_CORE_READ(page, index);
	*mapping = (u64)BPF_CORE_READ(page, mapping);
}

static __noinline void fill_small_folio(struct mrt_folio *r, u64 address, u64 *mapping)
{
	struct folio *folio = (void *)address;

	if (!r || !mapping)
		return;
	r->references = BPF_CORE_READ(folio, _refcount.counter);
	r->mappings = BPF_CORE_READ(folio, _mapcount.counter) + 1;
	r->index = BPF_CORE_READ(folio, index);
	*mapping = (u64)BPF_CORE_READ(folio, mapping);
}

static __noinline s32 large_mapcount(u64 address)
{
	struct folio *folio = (void *)address;

	return BPF_CORE_READ(folio, _large_mapcount.counter) + 1;
}

static __noinline s32 total_mapcount(u64 address)
{
	struct folio *folio = (void *)address;

	return BPF_CORE_READ(folio, _total_mapcount.counter) + 1;
}

static __noinline s32 pincount(u64 address)
{
	struct folio *folio = (void *)address;

	return BPF_CORE_READ(folio, _pincount.counter);
}

static __noinline u32 number_of_pages(u64 address)
{
	struct folio *folio = (void *)address;

	return BPF_CORE_READ(folio, _nr_pages);
}

static __noinline u32 number_of_folio_pages(u64 address)
{
	struct folio *folio = (void *)address;

	return BPF_CORE_READ(folio, _folio_nr_pages);
}

static __noinline void fill_large_folio(struct mrt_folio *r, u64 address)
{
	struct folio *folio = (void *)address;

	if (!r)
		return;
	r->mappings = 0;
	r->has &= ~(MRT_FOLIO_HAS_MAPPINGS | MRT_FOLIO_HAS_PAGES);
	if (!has_folios())
		return;
	if (bpf_core_field_exists(folio->_large_mapcount)) {
		r->mappings = large_mapcount(address);
		r->has |= MRT_FOLIO_HAS_MAPPINGS;
	} else if (bpf_core_field_exists(folio->_total_mapcount)) {
		r->mappings = total_mapcount(address);
		r->has |= MRT_FOLIO_HAS_MAPPINGS;
	}
	if (bpf_core_field_exists(folio->_pincount)) {
		r->pins = pincount(address);
		r->has |= MRT_FOLIO_HAS_PINS;
	}
	if (bpf_core_field_exists(folio->_nr_pages))
		r->pages = number_of_pages(address);
	else if (bpf_core_field_exists(folio->_folio_nr_pages))
		r->pages = number_of_folio_pages(address);
	if (r->pages)
		r->has |= MRT_FOLIO_HAS_PAGES;
}

/* A bit of page.flags that this kernel has by that name. */
#define PAGE_FLAG(flags, name)                               \
	(bpf_core_enum_value_exists(enum pageflags, name) && \
	 (flags) >> (bpf_core_enum_value(enum pageflags, name) & 63) & 1)

static __noinline u32 state_of(u64 flags, u64 mapping)
{
	u32 state = 0;

	if (PAGE_FLAG(flags, PG_locked))
		state |= MRT_FOLIO_LOCKED;
	if (PAGE_FLAG(flags, PG_dirty))
		state |= MRT_FOLIO_DIRTY;
	if (PAGE_FLAG(flags, PG_writeback))
		state |= MRT_FOLIO_WRITEBACK;
	if (mapping & PAGE_MAPPING_FLAGS) {
		state |= MRT_FOLIO_ANON;
		if (PAGE_FLAG(flags, PG_owner_priv_1))
			state |= MRT_FOLIO_SWAPCACHE;
	} else {
		if (mapping)
			state |= MRT_FOLIO_FILE;
		if (PAGE_FLAG(flags, PG_private) || PAGE_FLAG(flags, PG_private_2))
			state |= MRT_FOLIO_PRIVATE;
	}
	return state;
}

/*
 * page.flags has node and zone in its topmost bits, sections in none of them where
 * there is a vmemmap. How many bits a node has is known by how many nodes there may be,
 * where these are more than fit into a word.
 */
static __noinline void fill_zone(struct mrt_folio *r)
{
	u32 nodes = bpf_core_type_size(nodemask_t) * 8, node_bits = 0;
	u32 zones = bpf_core_enum_value(enum zone_type, __MAX_NR_ZONES);
	u32 zone_bits = zones > 4 ? 3 : 2, zone;

	if (!r || nodes <= 64)
		return;
	for (; node_bits < 16 && (1u << node_bits) < nodes; node_bits++)
		;
	r->node = r->page_flags >> ((64 - node_bits) & 63);
	zone = r->page_flags >> ((64 - node_bits - zone_bits) & 63) & ((1u << zone_bits) - 1);
	if (zone >= zones)
		return;
	if (zone == bpf_core_enum_value(enum zone_type, ZONE_MOVABLE))
		r->zone = MRT_ZONE_MOVABLE;
	else if (zone == bpf_core_enum_value(enum zone_type, ZONE_NORMAL))
		r->zone = MRT_ZONE_NORMAL;
	else if (bpf_core_enum_value_exists(enum zone_type, ZONE_DEVICE) &&
		 zone == bpf_core_enum_value(enum zone_type, ZONE_DEVICE))
		r->zone = MRT_ZONE_DEVICE;
	else if (bpf_core_enum_value_exists(enum zone_type, ZONE_DMA32) &&
		 zone == bpf_core_enum_value(enum zone_type, ZONE_DMA32))
		r->zone = MRT_ZONE_DMA32;
	else
		r->zone = MRT_ZONE_DMA;
	r->has |= MRT_FOLIO_HAS_ZONE;
}

/*
 * Anonymous memory has its address for an index, until it is moved by mremap(). If
 * the entry of that address is of this folio, the vmemmap begins where it must: at a
 * multiple of 1 GiB, which no other folio's frame gives.
 */
static __noinline void fill_address(struct mrt_folio *r)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 mm, address, entry, pfn;
	struct paging p;

	if (!r)
		return;
	paging_of_kernel(&p);
	mm = (u64)BPF_CORE_READ(task, mm);
	address = r->index << PAGE_SHIFT;
	if (!mm)
		return;
	entry = pmd_of(mm, address);
	if (is_table(entry))
		entry = read_u64(pte_in(entry, address));
	if (!(entry & ENTRY_PRESENT))
		return;
	pfn = (entry & p.physical_mask & ENTRY_ADDRESS) >> PAGE_SHIFT;
	if ((r->folio - pfn * bpf_core_type_size(struct page)) & (VMEMMAP_ALIGNMENT - 1))
		return;
	r->address = address;
	r->pfn = pfn;
	r->has |= MRT_FOLIO_HAS_ADDRESS;
}

static __noinline u64 inode_of_mapping(u64 address)
{
	struct address_space *mapping = (void *)address;

	return BPF_CORE_READ(mapping, host, i_ino);
}

__noinline int send_folio(u32 hook, u64 folio)
{
	struct mrt_folio *r = evidence(hook, MRT_KIND_FOLIO, sizeof(*r));
	u64 mapping = 0;

	if (!r)
		return 0;
	clear_record(r, sizeof(*r));
	r->folio = folio;
	r->page_flags = read_u64(folio);
	r->pages = 1;
	r->has = MRT_FOLIO_HAS_MAPPINGS | MRT_FOLIO_HAS_PAGES;
	if (has_folios())
		fill_small_folio(r, folio, &mapping);
	else
		fill_page(r, folio, &mapping);
	if (PAGE_FLAG(r->page_flags, PG_head))
		fill_large_folio(r, folio);
	r->state = state_of(r->page_flags, mapping);
	if (r->state & MRT_FOLIO_FILE)
		r->inode = inode_of_mapping(mapping);
	else
		fill_address(r);
	fill_zone(r);
	send_evidence(r, hook);
	return 0;
}

/* Those that stayed where they were are on the list again, as the caller gave it. */
__noinline int send_folios(u32 hook, u64 from)
{
	u32 lru = has_folios() ? lru_of_folio() : lru_of_page();
	u64 at = from;
	u32 i;

	for (i = 0; i < MRT_FOLIOS_MAX; i++) {
		at = read_u64(at);
		if (!at || at == from)
			break;
		send_folio(hook, at - lru);
	}
	return 0;
}

#endif
