/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witnesses of a failed page fault.
 *
 * Hooks: tracepoints dax_pte_fault_done and dax_pmd_fault_done, dax_iomap_fault
 *   (DAX faults only), hugetlb_fault, handle_userfault, xfs_iomap_write_direct,
 *   and handle_mm_fault when fault codes were asked for (every process pays for
 *   it, so not by default).
 * Kernels: all.
 * Why: the VM_FAULT code and the exact address; HMM turns both into -EFAULT, and
 *   the file system's own errno (no space, media error) is in neither.
 * Missing: the page is found by its missing entry, end of file by the file's
 *   size; another code than SIGBUS beyond end of file stays unknown.
 */
#ifndef MRTRACE_FAULT_H
#define MRTRACE_FAULT_H

static __always_inline void send_fault(struct in_flight *op, u32 hook, u64 address,
				       u32 result, u32 fault_flags,
				       struct inode *inode, u64 pgoff, s32 error)
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
	r->error = error;
	if (error)
		r->flags |= MRT_FAULT_HAS_ERROR;
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
			   BPF_CORE_READ(vmf, pgoff), 0);
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
			   NULL, 0, 0);
	return 0;
}

ON_EXIT(handle_mm_fault, MRT_HOOK_HANDLE_MM_FAULT, 4, u32, on_handle_mm_fault)

/* An operation's fault has failed in this function; NULL otherwise. */
static __always_inline struct in_flight *failed_inside(struct call *c)
{
	struct in_flight *op;

	if (!(c->ret & VM_FAULT_FAILED))
		return NULL;
	op = in_flight();
	if (!op)
		return NULL;
	COUNT(c->hook, seen);
	return failed_fault(c->hook);
}

/*
 * dax_iomap_fault(vmf, order, pfnp, iomap_errp, ops): ext4 asks for the errno in
 * a variable of its own, XFS does not ask.
 */
static __always_inline int on_dax_iomap_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_inside(c);
	struct vm_fault *vmf = (void *)c->a[0];
	struct file *file;
	s32 error = 0;

	if (!op)
		return 0;
	/* 5.10 lets no program read an argument of that type from its context */
	if (c->rung == MRT_RUNG_FEXIT)
		bpf_probe_read_kernel(&c->a[3], sizeof(c->a[3]), (u64 *)ctx + 3);
	if (c->a[3])
		bpf_probe_read_kernel(&error, sizeof(error), (void *)c->a[3]);
	if (error < -4095 || error > 0)
		error = 0;
	file = BPF_CORE_READ(vmf, vma, vm_file);
	send_fault(op, c->hook, BPF_CORE_READ(vmf, address) & ~(PAGE_SIZE - 1), c->ret,
		   fault_flags_of(vmf),
		   file ? BPF_CORE_READ(file, f_mapping, host) : NULL,
		   BPF_CORE_READ(vmf, pgoff), error);
	return 0;
}

/* hugetlb_fault(mm, vma, address, flags) */
static __always_inline int on_hugetlb_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_inside(c);

	if (op)
		send_fault(op, c->hook, c->a[2] & ~(PAGE_SIZE - 1), c->ret, c->a[3],
			   NULL, 0, 0);
	return 0;
}

/* handle_userfault(vmf, reason); it waits by VM_FAULT_RETRY, which is no failure */
static __always_inline int on_handle_userfault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_inside(c);
	struct vm_fault *vmf = (void *)c->a[0];

	if (op)
		send_fault(op, c->hook, BPF_CORE_READ(vmf, address) & ~(PAGE_SIZE - 1),
			   c->ret, fault_flags_of(vmf), NULL, 0, 0);
	return 0;
}

/* xfs_iomap_write_direct(ip, offset_fsb, count_fsb, …): an errno. All of XFS runs it. */
static __always_inline int on_xfs_write_direct(void *ctx, struct call *c)
{
	struct in_flight *op;

	if (c->ret >= 0 || !in_flight())
		return 0;
	op = returned(ctx, c);
	if (op)
		send_layer(op, c);
	return 0;
}

SEC("fexit/dax_iomap_fault")
int fexit__dax_iomap_fault(unsigned long long *ctx)
{
	struct call c = {
		.a = { ctx[0] },
		.ret = (u32)ctx[5],
		.hook = MRT_HOOK_DAX_IOMAP_FAULT,
		.rung = MRT_RUNG_FEXIT,
	};

	return on_dax_iomap_fault(ctx, &c);
}

ON_KPROBE_INSIDE(dax_iomap_fault, MRT_HOOK_DAX_IOMAP_FAULT)
ON_KRETPROBE(dax_iomap_fault, MRT_HOOK_DAX_IOMAP_FAULT, u32, on_dax_iomap_fault)
ON_FEXIT(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT, 4, u32, on_hugetlb_fault)
ON_KPROBE_INSIDE(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT)
ON_KRETPROBE(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT, u32, on_hugetlb_fault)
ON_FEXIT(handle_userfault, MRT_HOOK_HANDLE_USERFAULT, 2, u32, on_handle_userfault)
ON_KPROBE_INSIDE(handle_userfault, MRT_HOOK_HANDLE_USERFAULT)
ON_KRETPROBE(handle_userfault, MRT_HOOK_HANDLE_USERFAULT, u32, on_handle_userfault)
ON_FEXIT_ANY(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT, 3, s32,
	     on_xfs_write_direct)
ON_KPROBE_INSIDE(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT)
ON_KRETPROBE(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT, s32,
	     on_xfs_write_direct)

#endif
