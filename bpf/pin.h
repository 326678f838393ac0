/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pinned user memory of the RDMA core.
 *
 * Hooks: ib_umem_get (up to 6.18) and __ib_umem_get_va (7.x); migrate_pages, for
 *   pages that must leave where they are before a long-term pin.
 * Kernels: all. 5.10 pins longterm with the reason of CMA's own allocations.
 * Why: here a pin is refused, and the mapping and pages that refused it are
 *   still as they were.
 * Missing: the mapping that refused a pin is not named; ENOMEM of a migration is
 *   not told from other ENOMEM.
 */
#ifndef MRTRACE_PIN_H
#define MRTRACE_PIN_H

/*
 * Which mapping did the pin refuse? GUP goes through the range in order and
 * stops at the first that check_vma_flags() or find_vma() refuses, so the first
 * such mapping is the one. The rules' details (FOLL_FORCE, dirty tracking) are
 * the agent's: what could be refused by some kernel is recorded. Of a range of
 * more mappings than this nothing is known beyond them.
 */
#define PIN_MAPPINGS  512
#define PIN_STEP      32 /* so many at a time */
#define VM_PKEYS      (15ull << 32) /* x86: VM_PKEY_BIT0 to 3 */
#define VM_UFFD       0x1200ull /* VM_UFFD_MISSING, VM_UFFD_WP */
#define ACCESS_WRITES 0x1b /* ib_access_writable() */

static __always_inline bool pin_may_refuse(struct vm_area_struct *vma)
{
	u64 flags = BPF_CORE_READ(vma, vm_flags);

	if (flags & (VM_IO | VM_PFNMAP) || !(flags & VM_READ) || !(flags & VM_WRITE))
		return true;
	/* a protection key, to which this thread may have no access; what a handler left */
	if (flags & (VM_PKEYS | VM_UFFD))
		return true;
	/* fsdax, secretmem, or a shared file mapping */
	return BPF_CORE_READ(vma, vm_file) != NULL;
}

/*
 * The mapping at `address`, sent if it may be the one; returns the address after
 * it, 0 at a gap. Global: the verifier looks at it once, not for every step.
 */
__noinline u64 send_if_refused(u32 hook, u64 mm, u64 address)
{
	u64 vma = vma_at(mm, address);

	if (vma == VMA_UNKNOWN)
		return 0;
	if (!vma || pin_may_refuse((void *)vma)) {
		send_mapping(hook, mm, address, vma);
		if (!vma)
			send_forked(hook, mm, address);
		send_levels(hook, mm, address);
	}
	return vma ? BPF_CORE_READ((struct vm_area_struct *)vma, vm_end) : 0;
}

/* Of PIN_STEP mappings; returns where to go on, 0 at a gap. */
__noinline u64 send_some_refused(u32 hook, u64 mm, u64 address, u64 end)
{
	u32 i;

	for (i = 0; i < PIN_STEP && address && address < end; i++)
		address = send_if_refused(hook, mm, address);
	return address;
}

static __always_inline void send_refused_mappings(u32 hook, u64 mm, u64 address, u64 end)
{
	u32 i;

	for (i = 0; i < PIN_MAPPINGS / PIN_STEP && address && address < end; i++)
		address = send_some_refused(hook, mm, address, end);
}

/* check_vma_flags() refuses a long-term pin of it, whatever its pages are. */
static __always_inline bool refuses_pins(u64 address, u32 access)
{
	struct vm_area_struct *vma = (void *)address;
	u64 flags = BPF_CORE_READ(vma, vm_flags);

	return flags & (VM_IO | VM_PFNMAP) || vma_is_fsdax(vma) ||
	       (access & ACCESS_WRITES && !(flags & VM_WRITE));
}

#define PIN_REPEATS 8 /* mappings looked at */

/*
 * Where in [address, end) the first mapping is that refuses pins, or the first gap, which
 * is what a pin of it is refused for; 0: nowhere.
 */
__noinline u64 where_refused(u64 mm, u64 address, u64 end, u32 access)
{
	u64 vma;
	u32 i;

	for (i = 0; i < PIN_REPEATS && address < end; i++) {
		vma = vma_at(mm, address);
		if (vma == VMA_UNKNOWN)
			break;
		if (!vma || refuses_pins(vma, access))
			return address;
		address = BPF_CORE_READ((struct vm_area_struct *)vma, vm_end);
	}
	return 0;
}

static __always_inline bool repeats_pin(struct in_flight *op, struct call *c, u64 mm, u64 start,
					u64 end)
{
	struct failure_key *key;
	u64 vma, at;

	if (!mm || !is_first_failure(op))
		return false;
	key = new_key(op, c, mm);
	/* before a mapping is looked at */
	if (c->ret == -E_INVAL)
		return repeats_request();
	if (c->ret != -E_FAULT && c->ret != -E_OPNOTSUPP)
		return false;
	at = where_refused(mm, start, end, c->a[3]);
	if (!at)
		return false;
	vma = vma_at(mm, at);
	return vma != VMA_UNKNOWN && note_mapping(key, vma, at) && repeats_request();
}

/* ib_umem_get(device, addr, size, access), and __ib_umem_get_va() alike */
static __always_inline int on_umem_get(void *ctx, struct call *c)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 start = c->a[1] & ~(PAGE_SIZE - 1);
	u64 end = (c->a[1] + c->a[2] + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	struct in_flight *op;
	u64 mm;

	if (has_failed(c))
		count(&c->tally->failed);
	else if (config.detail < MRT_DETAIL_LAYERS)
		return 0;
	op = in_flight();
	mm = (u64)BPF_CORE_READ(task, mm);
	if (op && has_failed(c))
		repeats_pin(op, c, mm, start, end);
	if (!to_record_in(ctx, c, op))
		return 0;
	if (has_failed(c)) {
		if (mm)
			send_refused_mappings(c->hook, mm, start, end);
		/*
		 * What was faulted in before stays: the first page that is not as
		 * wanted is where the pin stopped, if it was a fault.
		 */
		if (mm && (c->ret == -E_FAULT || c->ret == -E_NOMEM))
			send_unfaulted(c->hook, mm, start, end, !!(c->a[3] & ACCESS_WRITES));
		send_umem(op, c->hook, 0, c->a[3]);
	}
	send_layer(op, c);
	return 0;
}

ON_EXIT_TWICE(ib_umem_get, MRT_HOOK_UMEM_GET, 4, s64, is_errno, on_umem_get)
ON_EXIT_TWICE(__ib_umem_get_va, MRT_HOOK_UMEM_GET, 4, s64, is_errno, on_umem_get)

/*
 * migrate_pages(from, get, put, private, mode, reason): the host runs it for many
 * reasons, so the reason is looked at before anything else. In functions of their
 * own: the compiler would evaluate both.
 */
static __noinline u32 reason_longterm_pin(void)
{
	return bpf_core_enum_value(enum migrate_reason, MR_LONGTERM_PIN);
}

static __noinline u32 reason_contig_range(void)
{
	return bpf_core_enum_value(enum migrate_reason, MR_CONTIG_RANGE);
}

static __always_inline bool is_for_a_pin(u64 reason)
{
	if (bpf_core_enum_value_exists(enum migrate_reason, MR_LONGTERM_PIN))
		return (u32)reason == reason_longterm_pin();
	return (u32)reason == reason_contig_range();
}

/* Not 0: an errno, or so many pages stayed where they were. */
static __always_inline int on_migrate(void *ctx, struct call *c)
{
	struct in_flight *op = in_flight();
	u64 from;

	if (!op || !c->ret)
		return 0;
	count(&c->tally->failed);
	if (op->muted) {
		c->now = MRT_NOW_FILTERED;
		return 0;
	}
	c->op = op;
	send_stacks(ctx, op, c);
	/* a pointer whose type the verifier knows is no argument of a global function */
	from = c->a[0];
	if (c->rung == MRT_RUNG_FEXIT)
		bpf_probe_read_kernel(&from, sizeof(from), ctx);
	send_folios(c->hook, from);
	send_layer(op, c);
	return 0;
}

SEC("fexit/migrate_pages")
int fexit__migrate_pages(unsigned long long *ctx)
{
	struct call c = { .hook = MRT_HOOK_MIGRATE_PAGES, .rung = MRT_RUNG_FEXIT };
	u64 ret = 0;

	if (!is_for_a_pin(ctx[5]))
		return 0;
	/* not the two functions: 5.10 lets no program read such an argument */
	ARG(0);
	ARG(3);
	ARG(4);
	ARG(5);
	/* a seventh argument came between the two reasons */
	if (bpf_core_enum_value_exists(enum migrate_reason, MR_LONGTERM_PIN))
		bpf_get_func_ret(ctx, &ret);
	else
		ret = ctx[6];
	c.ret = (s32)ret;
	return inside(&c) ? HANDLE(ctx, &c, on_migrate) : 0;
}

SEC("kprobe/migrate_pages")
int kprobe__migrate_pages(struct pt_regs *ctx)
{
	if (!is_for_a_pin(ctx->r9) || !in_flight())
		return 0;
	return keep_arguments(ctx, MRT_HOOK_MIGRATE_PAGES);
}

ON_KRETPROBE_GATED(migrate_pages, MRT_HOOK_MIGRATE_PAGES, s32, inside, on_migrate)

#endif
