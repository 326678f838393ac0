/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witnesses of a failed page fault.
 *
 * Hooks: tracepoints dax_pte_fault_done and dax_pmd_fault_done (all kernels;
 *   they run for DAX faults only), and handle_mm_fault when fault codes were
 *   asked for (every process pays for it, so not by default).
 * Why: the VM_FAULT code and the exact address; HMM turns both into -EFAULT.
 * Missing: the page is found by its missing entry, end of file by the file's
 *   size; another code than SIGBUS beyond end of file stays unknown.
 */
#ifndef MRTRACE_FAULT_H
#define MRTRACE_FAULT_H

static __always_inline void send_fault(struct in_flight *op, u32 hook, u64 address,
				       u32 result, u32 fault_flags,
				       struct inode *inode, u64 pgoff)
{
	struct mrt_fault *r;

	op->witness = address;
	r = record(op, hook, MRT_KIND_FAULT, sizeof(*r));
	if (!r)
		return;
	r->address = address;
	r->inode = r->page_offset = r->file_size = 0;
	r->result = result;
	r->fault_flags = fault_flags;
	r->flags = MRT_FAULT_HAS_FLAGS;
	r->error = 0;
	if (inode) {
		r->flags |= MRT_FAULT_HAS_FILE;
		r->inode = BPF_CORE_READ(inode, i_ino);
		r->page_offset = pgoff;
		r->file_size = BPF_CORE_READ(inode, i_size);
	}
	send(r, hook);
}

static __always_inline struct in_flight *failed_fault(u32 hook)
{
	struct mrt_counts *counts = counts_of(hook);
	struct in_flight *op = in_flight();

	if (counts)
		counts->failed++;
	if (op && !op->muted)
		return op;
	if (counts)
		counts->filtered++;
	return NULL;
}

static __always_inline u32 fault_flags_of(struct vm_fault *vmf)
{
	struct vm_fault___5_10 *old = (void *)vmf;

	if (bpf_core_field_exists(vmf->flags))
		return BPF_CORE_READ(vmf, flags);
	return BPF_CORE_READ(old, flags);
}

static __always_inline int on_dax_fault(u32 hook, struct inode *inode,
					struct vm_fault *vmf, u32 result)
{
	struct in_flight *op;

	if (!(result & VM_FAULT_FAILED))
		return 0;
	op = failed_fault(hook);
	if (op)
		send_fault(op, hook, BPF_CORE_READ(vmf, address), result,
			   fault_flags_of(vmf), inode,
			   BPF_CORE_READ(vmf, pgoff));
	return 0;
}

/* TP_PROTO(inode, vmf, result) */
SEC("raw_tp/dax_pte_fault_done")
int raw_tp__dax_pte_fault_done(unsigned long long *ctx)
{
	return on_dax_fault(MRT_HOOK_DAX_PTE_FAULT, (void *)ctx[0], (void *)ctx[1],
			    ctx[2]);
}

/* TP_PROTO(inode, vmf, max_pgoff, result) */
SEC("raw_tp/dax_pmd_fault_done")
int raw_tp__dax_pmd_fault_done(unsigned long long *ctx)
{
	return on_dax_fault(MRT_HOOK_DAX_PMD_FAULT, (void *)ctx[0], (void *)ctx[1],
			    ctx[3]);
}

/* handle_mm_fault(vma, address, flags, regs) */
static __always_inline int on_handle_mm_fault(void *ctx, struct call *c)
{
	struct in_flight *op;

	if (!(c->ret & VM_FAULT_FAILED))
		return 0;
	op = failed_fault(c->hook);
	if (op)
		send_fault(op, c->hook, c->a[1] & ~(PAGE_SIZE - 1), c->ret, c->a[2],
			   NULL, 0);
	return 0;
}

ON_EXIT(handle_mm_fault, MRT_HOOK_HANDLE_MM_FAULT, 4, u32, on_handle_mm_fault)

#endif
