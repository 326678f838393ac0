/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witnesses of a failed page fault.
 *
 * Hooks: tracepoints dax_pte_fault_done and dax_pmd_fault_done, dax_iomap_fault
 *   (DAX faults only), hugetlb_fault, handle_userfault, xfs_iomap_write_direct,
 *   shmem_unused_huge_shrink and ext4_should_retry_alloc (backing.h),
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

static __always_inline void send_fault(struct in_flight *op, u32 hook, u64 address, u32 result,
				       u32 fault_flags, struct inode *inode, u64 pgoff, s32 error)
{
	struct mrt_fault *r;

	op->witness = address;
	r = evidence(hook, MRT_KIND_FAULT, sizeof(*r));
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
	send_evidence(r, hook);
}

/* Gates: faults that do not fail are nothing to us, and most faults are not ours. */
static __always_inline bool fault_failed(struct call *c)
{
	return c->ret & VM_FAULT_FAILED;
}

static __always_inline bool failed_inside(struct call *c)
{
	return fault_failed(c) && in_flight();
}

/* A fault has failed: NULL unless it is that of an operation we follow. */
static __always_inline struct in_flight *failed_fault(struct call *c)
{
	struct in_flight *op = in_flight();

	count(&c->tally->failed);
	if (op && !op->muted) {
		c->op = op;
		return op;
	}
	c->now = MRT_NOW_FILTERED;
	return NULL;
}

static __always_inline u32 fault_flags_of(struct vm_fault *vmf)
{
	struct vm_fault___5_10 *old = (void *)vmf;

	if (bpf_core_field_exists(vmf->flags))
		return BPF_CORE_READ(vmf, flags);
	return BPF_CORE_READ(old, flags);
}

/* a: inode, vmf; ret: the VM_FAULT code */
static __always_inline int on_dax_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_fault(c);
	struct vm_fault *vmf = (void *)c->a[1];

	if (op)
		send_fault(op, c->hook, BPF_CORE_READ(vmf, address), c->ret, fault_flags_of(vmf),
			   (void *)c->a[0], BPF_CORE_READ(vmf, pgoff), 0);
	return 0;
}

static __always_inline int dax_fault_done(void *ctx, struct call *c)
{
	return fault_failed(c) ? HANDLE(ctx, c, on_dax_fault) : 0;
}

/* TP_PROTO(inode, vmf, result) */
SEC("raw_tp/dax_pte_fault_done")
int raw_tp__dax_pte_fault_done(unsigned long long *ctx)
{
	struct call c = {
		.a = { ctx[0], ctx[1] },
		.ret = (u32)ctx[2],
		.hook = MRT_HOOK_DAX_PTE_FAULT,
		.rung = MRT_RUNG_TRACEPOINT,
	};

	return dax_fault_done(ctx, &c);
}

/* TP_PROTO(inode, vmf, max_pgoff, result) */
SEC("raw_tp/dax_pmd_fault_done")
int raw_tp__dax_pmd_fault_done(unsigned long long *ctx)
{
	struct call c = {
		.a = { ctx[0], ctx[1] },
		.ret = (u32)ctx[3],
		.hook = MRT_HOOK_DAX_PMD_FAULT,
		.rung = MRT_RUNG_TRACEPOINT,
	};

	return dax_fault_done(ctx, &c);
}

/* handle_mm_fault(vma, address, flags, regs) */
static __always_inline int on_handle_mm_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_fault(c);

	if (op)
		send_fault(op, c->hook, c->a[1] & ~(PAGE_SIZE - 1), c->ret, c->a[2], NULL, 0, 0);
	return 0;
}

ON_FEXIT_GATED(handle_mm_fault, MRT_HOOK_HANDLE_MM_FAULT, 4, u32, fault_failed, on_handle_mm_fault)
ON_KPROBE(handle_mm_fault, MRT_HOOK_HANDLE_MM_FAULT)
ON_KRETPROBE_GATED(handle_mm_fault, MRT_HOOK_HANDLE_MM_FAULT, u32, fault_failed, on_handle_mm_fault)

/*
 * dax_iomap_fault(vmf, order, pfnp, iomap_errp, ops): ext4 asks for the errno in
 * a variable of its own, XFS does not ask.
 */
static __always_inline int on_dax_iomap_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_fault(c);
	struct vm_fault *vmf = (void *)c->a[0];
	struct file *file;
	s32 error = 0;

	if (!op)
		return 0;
	/* 5.10 lets no program read an argument of that type from its context */
	if (c->rung == MRT_RUNG_FEXIT)
		bpf_probe_read_kernel(&c->a[3], sizeof(c->a[3]), (u64 *)ctx + 3);
	if (c->a[3])
		read_kernel(&error, sizeof(error), (void *)c->a[3]);
	if (error < -4095 || error > 0)
		error = 0;
	file = BPF_CORE_READ(vmf, vma, vm_file);
	send_fault(op, c->hook, BPF_CORE_READ(vmf, address) & ~(PAGE_SIZE - 1), c->ret,
		   fault_flags_of(vmf), file ? BPF_CORE_READ(file, f_mapping, host) : NULL,
		   BPF_CORE_READ(vmf, pgoff), error);
	return 0;
}

/* The verifier lets a pointer that it knows the type of be no argument of a global function. */
static __always_inline void address_from_context(void *ctx, struct call *c, u32 argument)
{
	if (c->rung == MRT_RUNG_FEXIT)
		bpf_probe_read_kernel(&c->a[argument], sizeof(c->a[argument]),
				      (u64 *)ctx + argument);
}

/* hugetlb_fault(mm, vma, address, flags) */
static __always_inline int on_hugetlb_fault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_fault(c);

	if (!op)
		return 0;
	send_fault(op, c->hook, c->a[2] & ~(PAGE_SIZE - 1), c->ret, c->a[3], NULL, 0, 0);
	address_from_context(ctx, c, 1);
	if (c->ret & VM_FAULT_SIGBUS)
		send_huge(c->hook, c->a[2] & ~(PAGE_SIZE - 1), c->a[1]);
	return 0;
}

/* handle_userfault(vmf, reason); it waits by VM_FAULT_RETRY, which is no failure */
static __always_inline int on_handle_userfault(void *ctx, struct call *c)
{
	struct in_flight *op = failed_fault(c);
	struct vm_fault *vmf = (void *)c->a[0];

	if (op)
		send_fault(op, c->hook, BPF_CORE_READ(vmf, address) & ~(PAGE_SIZE - 1), c->ret,
			   fault_flags_of(vmf), NULL, 0, 0);
	return 0;
}

/* xfs_iomap_write_direct(ip, offset_fsb, count_fsb, …): an errno. All of XFS runs it. */
static __always_inline int on_xfs_write_direct(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);

	if (op)
		send_layer(op, c);
	return 0;
}

static __always_inline bool error_inside(struct call *c)
{
	return c->ret < 0 && in_flight();
}

/* shmem_unused_huge_shrink(info, sc, pages): sc is a shrinker's, and NULL where a page found no block. */
static __always_inline bool no_block_inside(struct call *c)
{
	return !c->a[1] && in_flight();
}

static __always_inline int on_shmem_full(void *ctx, struct call *c)
{
	if (!failed_fault(c))
		return 0;
	address_from_context(ctx, c, 0);
	send_full_tmpfs(c->hook, c->a[0]);
	return 0;
}

/* ext4_should_retry_alloc(sb, retries), asked where there was no block: 0 is to give up. */
static __always_inline bool gave_up_inside(struct call *c)
{
	return !c->ret && in_flight();
}

static __always_inline int on_ext4_full(void *ctx, struct call *c)
{
	if (!failed_fault(c))
		return 0;
	address_from_context(ctx, c, 0);
	send_full(c->hook, c->a[0]);
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

	return failed_inside(&c) ? HANDLE(ctx, &c, on_dax_iomap_fault) : 0;
}

ON_KPROBE_INSIDE(dax_iomap_fault, MRT_HOOK_DAX_IOMAP_FAULT)
ON_KRETPROBE_GATED(dax_iomap_fault, MRT_HOOK_DAX_IOMAP_FAULT, u32, failed_inside,
		   on_dax_iomap_fault)
ON_FEXIT_GATED(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT, 4, u32, failed_inside, on_hugetlb_fault)
ON_KPROBE_INSIDE(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT)
ON_KRETPROBE_GATED(hugetlb_fault, MRT_HOOK_HUGETLB_FAULT, u32, failed_inside, on_hugetlb_fault)
ON_FEXIT_GATED(handle_userfault, MRT_HOOK_HANDLE_USERFAULT, 2, u32, failed_inside,
	       on_handle_userfault)
ON_KPROBE_INSIDE(handle_userfault, MRT_HOOK_HANDLE_USERFAULT)
ON_KRETPROBE_GATED(handle_userfault, MRT_HOOK_HANDLE_USERFAULT, u32, failed_inside,
		   on_handle_userfault)
ON_FEXIT_ANY_GATED(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT, 3, s32, error_inside,
		   on_xfs_write_direct)
ON_KPROBE_INSIDE(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT)
ON_KRETPROBE_GATED(xfs_iomap_write_direct, MRT_HOOK_XFS_WRITE_DIRECT, s32, error_inside,
		   on_xfs_write_direct)

ON_FEXIT_GATED(shmem_unused_huge_shrink, MRT_HOOK_SHMEM_FULL, 3, s64, no_block_inside,
	       on_shmem_full)
ON_KPROBE_INSIDE(shmem_unused_huge_shrink, MRT_HOOK_SHMEM_FULL)
ON_KRETPROBE_GATED(shmem_unused_huge_shrink, MRT_HOOK_SHMEM_FULL, s64, no_block_inside,
		   on_shmem_full)

/* its second argument, a pointer to a number, is one that some verifiers do not let be read */
SEC("fexit/ext4_should_retry_alloc")
int fexit__ext4_should_retry_alloc(unsigned long long *ctx)
{
	struct call c = {
		.a = { ctx[0] },
		.ret = (s32)ctx[2],
		.hook = MRT_HOOK_EXT4_FULL,
		.rung = MRT_RUNG_FEXIT,
	};

	return gave_up_inside(&c) ? HANDLE(ctx, &c, on_ext4_full) : 0;
}

ON_KPROBE_INSIDE(ext4_should_retry_alloc, MRT_HOOK_EXT4_FULL)
ON_KRETPROBE_GATED(ext4_should_retry_alloc, MRT_HOOK_EXT4_FULL, s32, gave_up_inside, on_ext4_full)

#endif
