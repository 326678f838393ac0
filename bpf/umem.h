/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user-memory layer of the RDMA core.
 *
 * Hooks: ib_umem_odp_{get,alloc_implicit,alloc_child,map_dma_and_lock}, pinned
 *   ib_umem_get (up to 6.18) and __ib_umem_get_va (7.x); with every layer asked
 *   for, also unmap_dma_pages and release.
 * Kernels: all; in ib_uverbs.ko up to 6.18, in ib_core.ko from 7.0.
 * Why: here a range leaves the MR, an owner has gone, a pin is refused; and for
 *   work done by kernel workers this is where an operation begins and ends.
 * Missing: page faults and asynchronous prefetches are not seen at all without
 *   map_dma_and_lock; failures of the others show in the verb's errno only.
 */
#ifndef MRTRACE_UMEM_H
#define MRTRACE_UMEM_H

static __always_inline bool is_worker(struct in_flight *op)
{
	return op->kind == MRT_OP_PAGE_FAULT || op->kind == MRT_OP_PREFETCH;
}

/* ib_umem_odp_map_dma_and_lock(umem_odp, user_virt, bcnt, access_mask, fault) */
static __always_inline int on_map_entry(void *ctx, struct call *c)
{
	struct in_flight *op = in_flight();
	struct task_struct *owner;
	struct mm_struct *mm;

	if (!op)
		op = begin(c->hook, MRT_OP_PAGE_FAULT, 0);
	if (!op || !is_worker(op))
		return 0;
	/* a worker's prefetch maps several ranges: each is an operation */
	op->id = op->start_ns = bpf_ktime_get_ns();
	op->done = 0;
	op->lost = 0;
	if (!config.filter)
		return 0;
	op->muted = 1;
	mm = (void *)umem_field(c->a[0], UMEM_OWNING_MM);
	if (!mm || !bpf_core_field_exists(mm->owner))
		return 0;
	owner = BPF_CORE_READ(mm, owner);
	if (owner && is_watched(BPF_CORE_READ(owner, tgid)))
		op->muted = 0;
	return 0;
}

static __always_inline void send_worker_operation(struct in_flight *op,
						  struct call *c)
{
	struct mrt_operation *r = operation_record(op, c->hook, c->ret);
	u64 umem = c->a[0];

	if (!r)
		return;
	r->umem = umem;
	r->mr_address = umem_field(umem, UMEM_ADDRESS);
	r->mr_length = umem_field(umem, UMEM_LENGTH);
	r->request_address = c->a[1];
	r->request_length = c->a[2];
	r->has |= MRT_HAS_MR | MRT_HAS_REQUEST;
	fill_owner(r, umem_field(umem, UMEM_OWNING_MM));
	fill_device(r, umem_field(umem, UMEM_IBDEV));
	send(r, c->hook);
}

static __always_inline int on_map(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);
	bool worker;

	if (op) {
		send_layer(op, c);
		if (c->ret < 0)
			send_umem(op, c->hook, c->a[0], 0);
	} else {
		op = in_flight();
		if (!op)
			return 0;
	}
	op->umem = c->a[0];
	worker = is_worker(op);
	if (worker && !op->muted && (c->ret < 0 || config.detail >= 1))
		send_worker_operation(op, c);
	/* the next range of the same call is a new attempt */
	op->done &= DONE_STACK;
	op->witness = 0;
	if (worker && op->root == c->hook)
		end();
	return 0;
}

ON_ENTRY_EXIT(ib_umem_odp_map_dma_and_lock, MRT_HOOK_ODP_MAP, 5, s32, on_map_entry,
	      on_map)

/* …get(device, addr, size, access, ops); ERR_PTR on failure */
static __always_inline int on_odp_get(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);

	if (op)
		send_layer(op, c);
	if ((u64)c->ret < (u64)-4095) {		/* no ERR_PTR: the new MR's umem */
		op = in_flight();
		if (op)
			op->umem = c->ret;
	}
	return 0;
}

ON_EXIT(ib_umem_odp_get, MRT_HOOK_ODP_GET, 5, s64, on_odp_get)
ON_EXIT(ib_umem_odp_alloc_implicit, MRT_HOOK_ODP_ALLOC_IMPLICIT, 2, s64, on_odp_get)
ON_EXIT(ib_umem_odp_alloc_child, MRT_HOOK_ODP_ALLOC_CHILD, 4, s64, on_odp_get)

/* Detail `layers` only: nothing to return, so they are recorded as they end. */
static __always_inline int on_odp_void(void *ctx, struct call *c)
{
	struct in_flight *op;

	COUNT(c->hook, seen);
	c->ret = 0;
	op = in_flight();
	if (op && !op->muted)
		send_layer(op, c);
	return 0;
}

ON_EXIT(ib_umem_odp_unmap_dma_pages, MRT_HOOK_ODP_UNMAP, 3, s32, on_odp_void)
ON_EXIT(ib_umem_odp_release, MRT_HOOK_ODP_RELEASE, 1, s32, on_odp_void)

/*
 * Which mapping did the pin refuse? GUP goes through the range in order and
 * stops at the first that check_vma_flags() or find_vma() refuses, so the first
 * such mapping is the one. The rules' details (FOLL_FORCE, dirty tracking) are
 * the agent's: what could be refused by some kernel is recorded.
 */
#define PIN_MAPPINGS 16

static __always_inline bool pin_may_refuse(struct vm_area_struct *vma)
{
	u64 flags = BPF_CORE_READ(vma, vm_flags);

	if (flags & (VM_IO | VM_PFNMAP) || !(flags & VM_READ) || !(flags & VM_WRITE))
		return true;
	/* fsdax, secretmem, or a shared file mapping */
	return BPF_CORE_READ(vma, vm_file) != NULL;
}

static __always_inline void send_refused_mappings(u32 hook, u64 mm, u64 address,
						  u64 end)
{
	u64 vma;
	u32 i;

	for (i = 0; i < PIN_MAPPINGS; i++) {
		if (address >= end)
			return;
		vma = vma_at(mm, address);
		if (vma == VMA_UNKNOWN)
			return;
		if (!vma || pin_may_refuse((void *)vma)) {
			send_mapping(hook, mm, address, vma);
			send_levels(hook, mm, address);
		}
		if (!vma)
			return;
		address = BPF_CORE_READ((struct vm_area_struct *)vma, vm_end);
	}
}

/* ib_umem_get(device, addr, size, access), and __ib_umem_get_va() alike */
static __always_inline int on_umem_get(void *ctx, struct call *c)
{
	struct in_flight *op = returned(ctx, c);
	struct task_struct *task;
	u64 mm;

	if (!op)
		return 0;
	if (c->ret < 0 && c->ret >= -4095) {
		task = (void *)bpf_get_current_task();
		mm = (u64)BPF_CORE_READ(task, mm);
		if (mm)
			send_refused_mappings(c->hook, mm,
					      c->a[1] & ~(PAGE_SIZE - 1),
					      c->a[1] + c->a[2]);
		send_umem(op, c->hook, 0, c->a[3]);
	}
	send_layer(op, c);
	return 0;
}

ON_EXIT(ib_umem_get, MRT_HOOK_UMEM_GET, 4, s64, on_umem_get)
ON_EXIT(__ib_umem_get_va, MRT_HOOK_UMEM_GET, 4, s64, on_umem_get)

#endif
