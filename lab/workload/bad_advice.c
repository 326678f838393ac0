/* SPDX-License-Identifier: Apache-2.0 */
/* Advice that is wrong by itself: the memory is healthy, and no page is ever looked at. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>

static struct ibv_mr *healthy(struct run *run, struct memory *memory, size_t length, int access)
{
	map_anon(run, memory);
	return register_memory(run, memory->base, length, access, 0, NULL);
}

static void range_beyond(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(12), ODP_ACCESS);

	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base + PAGES(8), PAGES(8), EFAULT, NULL);
}

static void range_before(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base + PAGES(4), PAGES(12), ODP_ACCESS, 0, NULL);
	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base, PAGES(8), EFAULT, NULL);
}

/* rxe takes the address in the MR for the address in memory, so an MR with an iova of its own cannot be reached. */
static void range_iova(struct run *run)
{
	struct memory memory;
	uint64_t iova = 0x10000;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_iova(run, memory.base, memory.length, iova, ODP_ACCESS, 0);
	begin_operation(run);
	if (mr)
		print_advice(run, memory.base, memory.length,
			     try_advice(run->device, 0 /* PREFETCH */, mr->lkey, (void *)(uintptr_t)iova, memory.length), EFAULT);
}

static void length_zero(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), ODP_ACCESS);

	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base + PAGES(4), 0, EINVAL, NULL);
}

static void lkey_bad(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), ODP_ACCESS);

	if (mr)
		advise(run, mr->lkey ^ 0x5500, PREFETCH, memory.base, memory.length, EINVAL, NULL);
}

/* The key of an MR of another protection domain. rxe of the kernel does not find it, odplab refuses it as mlx5 does. */
static void lkey_foreign(struct run *run)
{
	struct memory memory;

	open_device(run);
	struct ibv_pd *other = ibv_alloc_pd(run->device->context), *ours = run->device->pd;
	if (!other)
		set_up_failed(run, "cannot allocate a protection domain: %s", strerror(errno));
	undo_later(run, drop_pd, other, 0);
	run->device->pd = other;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), ODP_ACCESS);
	run->device->pd = ours;
	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base, memory.length, run->device->odp_write ? EINVAL : EPERM, NULL);
}

/* rxe of the kernel does not look whether the MR is on demand, and reads behind it; odplab refuses. */
static void lkey_pinned(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), PIN_ACCESS);

	if (!mr)
		return;
	begin_operation(run);
	int error = try_advice(run->device, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH, mr->lkey, memory.base, memory.length);
	/* what stands behind the object decides which of the two */
	print_advice(run, memory.base, memory.length, error, run->device->odp_write && error != EINVAL ? EFAULT : EINVAL);
}

/* Stock rxe looks MRs up with LOCAL_WRITE and finds none; fsdax-2021's refuses as mlx5 does, and has no data path. */
static void mr_readonly(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), IBV_ACCESS_ON_DEMAND);

	if (mr)
		advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, run->device->odp_write ? EINVAL : EPERM, NULL);
}

static void advice_unknown(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), ODP_ACCESS);

	begin_operation(run);
	if (mr)
		print_advice(run, memory.base, memory.length, try_advice(run->device, 77, mr->lkey, memory.base, memory.length),
			     EOPNOTSUPP);
}

/* A driver without advise_mr: the kernel does not come to look at the MR, so a pinned one will do. */
static void advice_unsupported(struct run *run)
{
	struct memory memory;
	struct ibv_mr *mr = healthy(run, &memory, PAGES(16), PIN_ACCESS);

	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base, memory.length, EOPNOTSUPP, NULL);
}

const struct scenario advice_scenarios[] = {
	{ "range-beyond-p", "PREFETCH past the end of the MR", range_beyond },
	{ "range-before-p", "PREFETCH that starts before the MR", range_before },
	{ "range-iova-p", "PREFETCH of an MR whose iova is not its address", range_iova },
	{ "length-zero-p", "PREFETCH of no byte", length_zero },
	{ "lkey-bad-p", "PREFETCH with a key that is no MR's", lkey_bad },
	{ "lkey-foreign-p", "PREFETCH with the key of another protection domain's MR", lkey_foreign },
	{ "lkey-pinned-p", "PREFETCH with the key of a pinned MR", lkey_pinned },
	{ "mr-readonly-w", "PREFETCH_WRITE on an MR without LOCAL_WRITE", mr_readonly },
	{ "advice-unknown", "an advice that no kernel knows", advice_unknown },
	{ "advice-unsupported", "PREFETCH where the driver has no advise_mr", advice_unsupported },
	{ 0 },
};
