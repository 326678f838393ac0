/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HMM: the page-walk callbacks and the range fault around them.
 *
 * Hooks: hmm_vma_walk_{test,hole,pmd,pud,hugetlb_entry}, hmm_vma_handle_pte,
 *   hmm_range_fault; 7.3: hmm_range_fault_locked, hmm_range_fault_unlocked_timeout.
 * Kernels: the callbacks are symbols from 5.10 to 7.3; hmm_vma_handle_pte only
 *   where it was kept from being inlined, else the agent replays it over the
 *   entries that hmm_vma_walk_pmd's exit records.
 * Why: their return value is the first errno of an ODP failure, and they run
 *   under mmap_lock, so that VMA and page tables are still those that decided.
 * Missing: without a callback its kind of failure is seen at the range fault
 *   only, without page; without the range fault, from ib_umem_odp on.
 */
#ifndef MRTRACE_HMM_H
#define MRTRACE_HMM_H

static __always_inline bool engine_7_3(void)
{
	struct hmm_vma_walk *walk = NULL;

	return bpf_core_field_exists(walk->locked);
}

/* -EBUSY asks for another walk on all kernels; from 7.3 -EAGAIN asks for a fault. */
static __always_inline bool is_failure(s64 ret)
{
	return ret < 0 && ret != -E_BUSY;
}

static __always_inline void send_walk(struct in_flight *op, struct call *c, u64 start, u64 end,
				      struct mm_walk *mm_walk, u64 entry)
{
	struct hmm_vma_walk *walk = BPF_CORE_READ(mm_walk, private);
	struct mrt_walk *r = evidence(c->hook, MRT_KIND_WALK, sizeof(*r));

	if (!r)
		return;
	r->result = c->ret;
	r->start = start;
	r->end = end;
	r->last = BPF_CORE_READ(walk, last);
	r->pending_end = 0;
	r->default_flags = BPF_CORE_READ(walk, range, default_flags);
	r->entry = entry;
	r->required_fault = 0;
	r->flags = MRT_WALK_HAS_LAST | MRT_WALK_HAS_DEFAULT;
	if (!BPF_CORE_READ(mm_walk, vma))
		r->flags |= MRT_WALK_NO_VMA;
	r->rung = c->rung;
	r->reserved = 0;
	send_evidence(r, c->hook);
}

/* The PTEs of [start, end) under this PMD, and what HMM made of them so far. */
static __always_inline void send_walked(struct in_flight *op, u32 hook, struct mm_walk *mm_walk,
					u64 pmd, u64 start, u64 end)
{
	struct hmm_vma_walk *walk = BPF_CORE_READ(mm_walk, private);
	struct hmm_range *range = BPF_CORE_READ(walk, range);
	u64 pages = (end - start) >> PAGE_SHIFT;
	u64 from;

	if (op->done & DONE_ENTRIES || !is_table(pmd) || end <= start || pages > MRT_ENTRIES_MAX)
		return;
	op->done |= DONE_ENTRIES;
	send_entries(hook, MRT_ENTRIES_PTE, start, pte_in(pmd, start), pages);
	from = (u64)BPF_CORE_READ(range, hmm_pfns) +
	       ((start - BPF_CORE_READ(range, start)) >> PAGE_SHIFT) * 8;
	send_entries(hook, MRT_ENTRIES_HMM_PFN, start, from, pages);
}

/*
 * 7.3: a callback asked for a fault, which comes after it. Remember what it
 * asked for: if the fault fails, this is all that says where.
 */
static __always_inline void remember_pending(struct mm_walk *mm_walk)
{
	struct hmm_vma_walk *walk = BPF_CORE_READ(mm_walk, private);
	struct in_flight *op = in_flight();

	if (!op)
		return;
	op->pending_start = BPF_CORE_READ(walk, last);
	op->pending_end = BPF_CORE_READ(walk, end);
	op->required_fault = BPF_CORE_READ(walk, required_fault);
}

/* Gate of all callbacks: NULL unless an operation we follow has just failed here. */
static __always_inline struct in_flight *failed_walk(void *ctx, struct call *c,
						     struct mm_walk *mm_walk, bool may_repeat)
{
	struct in_flight *op;

	if (!is_failure(c->ret))
		return NULL;
	if (engine_7_3() && c->ret == -E_AGAIN) {
		remember_pending(mm_walk);
		return NULL;
	}
	count(&c->tally->failed);
	op = in_flight();
	if (!op || op->muted) {
		c->now |= MRT_NOW_FILTERED;
		return NULL;
	}
	c->op = op;
	op->pending_start = 0;
	if (withhold(op, c))
		return NULL;
	if (may_repeat && repeats_walk(op, c, (u64)BPF_CORE_READ(mm_walk, mm),
				       (u64)BPF_CORE_READ(mm_walk, vma), c->a[0], c->a[1]))
		return NULL;
	send_stacks(ctx, op, c);
	return op;
}

/*
 * Sends what a callback refused: its mapping, or the gap in which it found none,
 * and, where it ran the fault itself (before 7.3), where faulting stopped.
 */
static __always_inline void send_refused(struct in_flight *op)
{
	u64 mm = op->refused.mm, start = op->refused.start, end = op->refused.end;
	u64 vma = op->refused.vma, last = op->refused.last;
	u32 hook = op->refused.hook;

	send_mapping(hook, mm, start, vma);
	if (!vma)
		send_forked(hook, mm, start);
	if (op->witness)
		send_levels(hook, mm, op->witness);
	else if (!vma || !op->refused.may_fault || engine_7_3() || last < start || last >= end)
		send_levels(hook, mm, start);
	else
		send_unfaulted(hook, mm, last, end, op->refused.write);
}

/*
 * The range fault returns next, and under the same mmap_lock: it is one program that
 * sends all this, not each callback's, where the agent knows that it is attached.
 */
static __always_inline void note_refused(struct in_flight *op, u32 hook, struct mm_walk *mm_walk,
					 u64 start, u64 end, bool may_fault)
{
	struct hmm_vma_walk *walk = BPF_CORE_READ(mm_walk, private);

	if (op->done & DONE_MAPPING)
		return;
	op->done |= DONE_MAPPING;
	op->refused.hook = hook;
	op->refused.mm = (u64)BPF_CORE_READ(mm_walk, mm);
	op->refused.vma = (u64)BPF_CORE_READ(mm_walk, vma);
	op->refused.start = start;
	op->refused.end = end;
	op->refused.last = BPF_CORE_READ(walk, last);
	op->refused.may_fault = may_fault;
	op->refused.write = !!(BPF_CORE_READ(walk, range, default_flags) & HMM_PFN_REQ_WRITE);
	if (config.range_hook)
		op->done |= DONE_UNSENT;
	else
		send_refused(op);
}

/*
 * Sends, for --detail pages, the range that a callback accepted and its raw entries.
 * Pages that HMM first has to fault in are sent when the next walk accepts them.
 */
static __always_inline void send_accepted(struct call *c, struct mm_walk *mm_walk, u64 start,
					  u64 end, u64 at)
{
	struct in_flight *op;
	u64 pages = (end - start) >> PAGE_SHIFT, entry = 0;

	if (config.detail < MRT_DETAIL_PAGES || c->ret)
		return;
	op = in_flight();
	if (!op || op->muted) {
		c->now |= MRT_NOW_FILTERED;
		return;
	}
	c->op = op;
	if (at)
		read_kernel(&entry, sizeof(entry), (void *)at);
	/* it goes on to the tables below, which decide */
	if (c->hook == MRT_HOOK_WALK_PUD && is_table(entry))
		return;
	send_walk(op, c, start, end, mm_walk, entry);
	if (c->hook != MRT_HOOK_WALK_PMD || !is_table(entry) || end <= start ||
	    pages > MRT_ENTRIES_MAX)
		return;
	send_entries(c->hook, MRT_ENTRIES_PTE | MRT_ENTRIES_ACCEPTED << 8, start,
		     pte_in(entry, start), pages);
}

static __always_inline int on_walk_test(void *ctx, struct call *c)
{
	struct mm_walk *mm_walk = (void *)c->a[2];
	struct in_flight *op = failed_walk(ctx, c, mm_walk, true);

	if (!op)
		return 0;
	send_walk(op, c, c->a[0], c->a[1], mm_walk, 0);
	note_refused(op, c->hook, mm_walk, c->a[0], c->a[1], false);
	return 0;
}

static __always_inline int on_walk_hole(void *ctx, struct call *c)
{
	struct mm_walk *mm_walk = (void *)c->a[3];
	/* where there is a mapping, a page fault has failed */
	struct in_flight *op = failed_walk(ctx, c, mm_walk, !BPF_CORE_READ(mm_walk, vma));

	if (!op) {
		send_accepted(c, mm_walk, c->a[0], c->a[1], 0);
		return 0;
	}
	send_walk(op, c, c->a[0], c->a[1], mm_walk, 0);
	note_refused(op, c->hook, mm_walk, c->a[0], c->a[1], true);
	return 0;
}

/* hmm_vma_walk_pmd and _pud share a signature; so does the PTE of hugetlb's. */
static __always_inline int on_walk_entry(void *ctx, struct call *c, u64 start, u64 end,
					 struct mm_walk *mm_walk)
{
	struct in_flight *op = failed_walk(ctx, c, mm_walk, false);
	u64 entry = 0;

	if (!op) {
		send_accepted(c, mm_walk, start, end, c->a[0]);
		return 0;
	}
	read_kernel(&entry, sizeof(entry), (void *)c->a[0]);
	send_walk(op, c, start, end, mm_walk, entry);
	if (c->hook == MRT_HOOK_WALK_PMD) {
		count_pages(entry, start, end, MRT_PAGES_FAILED | 1 << 16);
		send_walked(op, c->hook, mm_walk, entry, start, end);
	}
	note_refused(op, c->hook, mm_walk, start, end, true);
	return 0;
}

static __always_inline int on_walk_pmd(void *ctx, struct call *c)
{
	if (!c->ret && c->hook == MRT_HOOK_WALK_PMD)
		sample_accepted((void *)c->a[3], c->a[0], c->a[1], c->a[2]);
	return on_walk_entry(ctx, c, c->a[1], c->a[2], (void *)c->a[3]);
}

static __always_inline int on_walk_hugetlb(void *ctx, struct call *c)
{
	return on_walk_entry(ctx, c, c->a[2], c->a[3], (void *)c->a[4]);
}

/* hmm_vma_handle_pte(walk, addr, end, pmdp, ptep, hmm_pfn): names the page itself. */
static __always_inline int on_handle_pte(void *ctx, struct call *c)
{
	struct mm_walk *mm_walk = (void *)c->a[0];
	struct in_flight *op = failed_walk(ctx, c, mm_walk, false);
	u64 entry = 0;

	if (!op)
		return 0;
	read_kernel(&entry, sizeof(entry), (void *)c->a[4]);
	send_walk(op, c, c->a[1], c->a[2], mm_walk, entry);
	note_refused(op, c->hook, mm_walk, c->a[1], c->a[2], true);
	return 0;
}

ON_EXIT(hmm_vma_walk_test, MRT_HOOK_WALK_TEST, 3, s32, on_walk_test)
ON_EXIT(hmm_vma_walk_hole, MRT_HOOK_WALK_HOLE, 4, s32, on_walk_hole)
ON_EVERY_EXIT(hmm_vma_walk_pmd, MRT_HOOK_WALK_PMD, 4, s32, on_walk_pmd)
ON_EXIT(hmm_vma_walk_pud, MRT_HOOK_WALK_PUD, 4, s32, on_walk_pmd)
ON_EXIT(hmm_vma_walk_hugetlb_entry, MRT_HOOK_WALK_HUGETLB, 5, s32, on_walk_hugetlb)
ON_EXIT(hmm_vma_handle_pte, MRT_HOOK_HANDLE_PTE, 6, s32, on_handle_pte)

static __always_inline void send_range(struct in_flight *op, struct call *c)
{
	struct hmm_range *range = (void *)c->a[0];
	struct mrt_range *r = evidence(c->hook, MRT_KIND_RANGE, sizeof(*r));

	if (!r)
		return;
	r->result = c->ret;
	r->start = BPF_CORE_READ(range, start);
	r->end = BPF_CORE_READ(range, end);
	r->default_flags = BPF_CORE_READ(range, default_flags);
	r->pfn_flags_mask = BPF_CORE_READ(range, pfn_flags_mask);
	r->mm = (u64)BPF_CORE_READ(range, notifier, mm);
	r->rung = c->rung;
	r->flags = engine_7_3() ? MRT_RANGE_CAN_UNLOCK : 0;
	send_evidence(r, c->hook);
}

/* 7.3: the fault that a callback asked for has failed, outside the walk. */
static __always_inline void send_failed_pending(struct in_flight *op, struct call *c)
{
	struct hmm_range *range = (void *)c->a[0];
	u64 mm = (u64)BPF_CORE_READ(range, notifier, mm);
	u32 write = op->required_fault & 2; /* HMM_NEED_WRITE_FAULT */
	struct mrt_walk *r = evidence(c->hook, MRT_KIND_WALK, sizeof(*r));

	if (!r)
		return;
	r->result = c->ret;
	r->start = r->last = op->pending_start;
	r->end = r->pending_end = op->pending_end;
	r->default_flags = BPF_CORE_READ(range, default_flags);
	r->entry = 0;
	r->required_fault = op->required_fault;
	r->flags = MRT_WALK_HAS_LAST | MRT_WALK_HAS_PENDING | MRT_WALK_HAS_DEFAULT;
	r->rung = c->rung;
	r->reserved = 0;
	send_evidence(r, c->hook);
	op->done |= DONE_MAPPING;
	send_mapping(c->hook, mm, op->witness ? op->witness : op->pending_start, 0);
	if (op->witness)
		send_levels(c->hook, mm, op->witness);
	else if (c->ret == -E_PERM) /* refused before the first fault */
		send_levels(c->hook, mm, op->pending_start);
	else
		send_unfaulted(c->hook, mm, op->pending_start, op->pending_end, write);
}

/*
 * Sends the mappings of [start, end) that HMM can refuse, and the entries up to the
 * first page that is not as wanted. Inline: before 7.0 the verifier allows no more
 * nested calls.
 */
static __always_inline void look_through(struct in_flight *op, u32 hook, u64 mm, u64 start, u64 end,
					 u32 write)
{
	send_refused_mappings(hook, mm, start, end);
	if (op->witness)
		send_levels(hook, mm, op->witness);
	else
		send_unfaulted(hook, mm, start, end, write);
}

/*
 * The callback that failed was not seen (the kernel skipped its program). The range is
 * still as it was: what in it can be refused is recorded, and the first page that is
 * not as wanted.
 */
static __always_inline void send_unseen(struct in_flight *op, struct call *c)
{
	struct hmm_range *range = (void *)c->a[0];
	u64 mm = (u64)BPF_CORE_READ(range, notifier, mm);
	u64 start = BPF_CORE_READ(range, start), end = BPF_CORE_READ(range, end);
	u64 write = BPF_CORE_READ(range, default_flags) & HMM_PFN_REQ_WRITE;

	op->done |= DONE_MAPPING;
	look_through(op, c->hook, mm, start, end, !!write);
}

/* access_mask: up to 6.15 bits of its own, then HMM_PFN_WRITE */
#define ODP_WRITE_ALLOWED (1u << 1)

__noinline int send_refused_late(u32 hook, u64 mm)
{
	struct in_flight *op = in_flight();

	if (!op)
		return 0;
	/* the mapping that was refused may be gone */
	send_mapping(hook, mm, op->refused.start, 0);
	if (!op->refused.vma)
		send_forked(hook, mm, op->refused.start);
	send_levels(hook, mm, op->witness ? op->witness : op->refused.start);
	return 0;
}

/*
 * Looks at the range once more where the range fault's programs were skipped too, when
 * ib_umem_odp_map_dma_and_lock() has failed. mmap_lock is free again, so this is how the
 * range is a moment later; the agent proves nothing by it.
 */
static __always_inline void look_late(struct in_flight *op, struct call *c)
{
	u64 mm = umem_field(c->a[0], UMEM_OWNING_MM);
	u64 start = umem_field(c->a[0], UMEM_ADDRESS);
	u64 size = umem_field(c->a[0], UMEM_LENGTH);
	u64 address = c->a[1], length = c->a[2];

	if (!mm || !config.range_hook)
		return;
	if (op->done & DONE_UNSENT) {
		op->done &= ~DONE_UNSENT;
		send_refused_late(c->hook, mm);
	} else if (!(op->done & DONE_MAPPING) && address >= start && length <= size &&
		   address - start <= size - length) {
		op->done |= DONE_MAPPING;
		look_through(op, c->hook, mm, address & ~(PAGE_SIZE - 1),
			     (address + length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
			     !!(c->a[3] & (HMM_PFN_REQ_WRITE | ODP_WRITE_ALLOWED)));
	}
}

static __always_inline int on_range_fault(void *ctx, struct call *c)
{
	struct in_flight *op;

	if (!is_failure(c->ret)) {
		if (config.detail < MRT_DETAIL_LAYERS)
			return 0;
		op = in_flight();
		c->op = op;
		if (op && !op->muted)
			send_range(op, c);
		else
			c->now |= MRT_NOW_FILTERED;
		return 0;
	}
	count(&c->tally->failed);
	op = in_flight();
	if (!op || op->muted) {
		c->now |= MRT_NOW_FILTERED;
		return 0;
	}
	c->op = op;
	if (withhold(op, c)) {
		op->pending_start = 0;
		return 0;
	}
	if (op->done & DONE_REPEATS)
		return 0;
	send_stacks(ctx, op, c);
	if (op->done & DONE_UNSENT && c->hook == config.range_hook) {
		op->done &= ~DONE_UNSENT;
		send_refused(op);
	}
	if (c->hook == MRT_HOOK_RANGE_FAULT_LOCKED && op->pending_start)
		send_failed_pending(op, c);
	else if (c->hook == config.range_hook && !(op->done & DONE_MAPPING) && c->ret != -E_INVAL)
		send_unseen(op, c);
	op->pending_start = 0;
	send_range(op, c);
	return 0;
}

ON_EXIT(hmm_range_fault, MRT_HOOK_RANGE_FAULT, 1, s32, on_range_fault)
ON_EXIT(hmm_range_fault_locked, MRT_HOOK_RANGE_FAULT_LOCKED, 2, s32, on_range_fault)
ON_EXIT(hmm_range_fault_unlocked_timeout, MRT_HOOK_RANGE_FAULT_UNLOCKED, 2, s32, on_range_fault)

#endif
