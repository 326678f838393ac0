/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures that are the same as one before. A process may fail again and again in the
 * same way, as fast as it can. What a mapping alone decides, or the request alone, is
 * decided in the same way where both are the same; then the evidence is the same too,
 * and is not sent again: the operation's record refers to the one that has it
 * (MRT_HAS_REPEATED).
 *
 * Kernels: all. Where a kernel counts the changes of an address space's mappings
 * (mm_lock_seq as a sequence, 6.13 and later), none may have changed; before, the
 * mapping that was refused must be the same in all that its evidence has of it.
 */
#ifndef MRTRACE_REPEATS_H
#define MRTRACE_REPEATS_H

/* Evidence is shared for so long; the agent keeps it longer (RepeatedEvidence.swift). */
#define REPEATED_NS 100000000ull

/* Of all processes: the last failures that others may repeat. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct failure_key);
	__type(value, struct lender);
} lenders SEC(".maps");

/* Nothing of this operation has failed before that evidence was taken of. */
static __always_inline bool is_first_failure(struct in_flight *op)
{
	return config.detail < MRT_DETAIL_LAYERS && !op->muted && !op->driver && !op->orphan &&
	       !op->witness &&
	       !(op->done & (DONE_STACK | DONE_MAPPING | DONE_ENTRIES | DONE_REPEATS | DONE_LENDS));
}

static __always_inline bool same_key(const struct failure_key *one, const struct failure_key *other)
{
	const u64 *a = (const u64 *)one, *b = (const u64 *)other;
	u64 differ = 0;

#pragma unroll
	for (u32 i = 0; i < sizeof(*one) / 8; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/* It had ended before this operation began, and not too long ago. */
static __always_inline bool may_lend(struct lender *lender, struct in_flight *op)
{
	return lender->id && lender->time_ns <= op->id && op->id - lender->id <= ~0u &&
	       bpf_ktime_get_ns() - lender->time_ns < REPEATED_NS;
}

/* op->asking is filled in: is there evidence of such a failure? Else this one's may serve others. */
static __always_inline bool is_repeated(struct in_flight *op)
{
	struct lender *lender;

	if (same_key(&op->lent, &op->asking)) {
		if (may_lend(&op->lender, op))
			goto repeated;
	}
	lender = bpf_map_lookup_elem(&lenders, &op->asking);
	if (lender && may_lend(lender, op)) {
		op->lender = *lender;
		op->lent = op->asking;
		goto repeated;
	}
	op->done |= DONE_LENDS;
	return false;
repeated:
	op->done |= DONE_REPEATS;
	return true;
}

/* The operation has failed with `result`, as the one did that it repeats. */
static __always_inline bool has_lender(struct in_flight *op, s64 result)
{
	return op->done & DONE_REPEATS && op->lender.result == result;
}

/* The record of an operation that failed refers to the one it repeats, or can be referred to. */
static __always_inline void refer(struct in_flight *op, struct mrt_operation *r, s64 result)
{
	if (has_lender(op, result)) {
		r->repeats_ns = op->id - op->lender.id;
		r->has |= MRT_HAS_REPEATED;
		return;
	}
	if (op->done & DONE_REPEATS) {
		/* it ended with another errno than that one: nothing has its evidence */
		r->lost++;
		return;
	}
	if (!(op->done & DONE_LENDS) || op->lost)
		return;
	op->lent = op->asking;
	op->lender.id = op->id;
	op->lender.time_ns = r->h.time_ns;
	op->lender.result = result;
	bpf_map_update_elem(&lenders, &op->lent, &op->lender, BPF_ANY);
}

/* A key that says nothing of request and mapping yet. */
static __always_inline struct failure_key *new_key(struct in_flight *op, struct call *c, u64 mm)
{
	struct failure_key *key = &op->asking;

	__builtin_memset(key, 0, sizeof(*key));
	key->mm = mm;
	key->root = op->root;
	key->hook = c->hook;
	key->result = c->ret;
	return key;
}

static __noinline int mappings_of(u64 address, u32 *sequence)
{
	struct mm_struct *mm = (void *)address;

	if (!sequence || !bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return 0;
	*sequence = BPF_CORE_READ(mm, mm_lock_seq.sequence);
	return 1;
}

/* A gap is known by its ends; 0: they cannot be read. */
static __noinline int read_gap(struct failure_key *key, u64 address)
{
	struct vma_found found = {};

	if (!key || !look_up(key->mm, address, &found))
		return 0;
	key->mapping[1] = found.low;
	key->mapping[2] = found.high;
	return 1;
}

/* All that the evidence has of a mapping and its file. */
static __noinline int read_mapping(struct failure_key *key, u64 address)
{
	struct vm_area_struct *vma = (void *)address;
	struct inode *inode;
	struct file *file;

	if (!key)
		return 0;
	key->mapping[1] = BPF_CORE_READ(vma, vm_start);
	key->mapping[2] = BPF_CORE_READ(vma, vm_end);
	key->mapping[3] = BPF_CORE_READ(vma, vm_flags);
	key->mapping[4] = BPF_CORE_READ(vma, vm_pgoff);
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return 1;
	inode = BPF_CORE_READ(file, f_inode);
	key->mapping[5] = (u64)file;
	key->mapping[6] = (u64)inode;
	key->mapping[7] = BPF_CORE_READ(inode, i_ino);
	return 1;
}

/* What was refused at `address`: the mapping `vma`, or the gap there (0). False: it cannot be told from others. */
static __always_inline bool note_mapping(struct failure_key *key, u64 vma, u64 address)
{
	u32 changes = 0;

	key->mapping[0] = vma;
	if (mappings_of(key->mm, &changes)) {
		key->mapping[1] = changes;
		return true;
	}
	return vma ? read_mapping(key, vma) : read_gap(key, address);
}

/*
 * A page walk's callback refused a mapping, or that there is none, in [start, end).
 * ib_umem_odp_map_dma_and_lock() asked for it.
 */
static __always_inline bool repeats_walk(struct in_flight *op, struct call *c, u64 mm, u64 vma,
					 u64 start, u64 end)
{
	struct failure_key *key;
	u64 umem = op->asked.umem;

	if (!umem || !is_first_failure(op))
		return false;
	key = new_key(op, c, mm);
	key->request[0] = umem;
	key->request[1] = op->asked.address;
	key->request[2] = op->asked.length;
	key->request[3] = op->asked.access | (u64)op->asked.fault << 32;
	key->request[4] = umem_field(umem, UMEM_ADDRESS);
	key->request[5] = umem_field(umem, UMEM_LENGTH);
	key->request[6] = start;
	key->request[7] = end;
	return note_mapping(key, vma, start) && is_repeated(op);
}

/* Errnos by which a driver or a verb refuses what it was asked for, whatever the memory. */
static __always_inline bool is_of_request(s64 result)
{
	return result == -E_INVAL || result == -E_OPNOTSUPP || result == -E_PERM ||
	       result == -E_ACCES || result == -E_NOENT;
}

/* Adds what the verb was asked for to op->asking. Global: the verifier looks at it once. */
__noinline int repeats_request(void)
{
	struct in_flight *op = in_flight();

	return op && op->attrs && read_request(op->asking.request, op->attrs, op->root) &&
	       is_repeated(op);
}

/* A driver or a verb refused, by itself. */
static __always_inline bool repeats_refusal(struct in_flight *op, struct call *c)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!is_of_request(c->ret) || !is_first_failure(op))
		return false;
	new_key(op, c, (u64)BPF_CORE_READ(task, mm));
	return repeats_request();
}

#endif
