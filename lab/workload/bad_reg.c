/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations that are wrong by themselves: lengths, addresses, flags, what the device has not. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <sys/mman.h>

/* Flags by number: the rdma-core of the oldest system this is built on does not name them all. */
enum {
	ZERO_BASED = 1 << 5,
	HUGETLB = 1 << 7,
	FLUSH_PERSISTENT = 1 << 9,
	NOT_A_FLAG = 1 << 14,
};

static void register_anon(struct run *run, size_t length, int access, int expect)
{
	struct memory memory;

	map_anon(run, &memory);
	register_memory(run, memory.base, length, access, expect, NULL);
}

/* The errno of a device without ODP changed in Linux 6.12. */
static void odp_unsupported(struct run *run)
{
	register_anon(run, PAGES(16), ODP_ACCESS, kernel_since(6, 12) ? EOPNOTSUPP : EINVAL);
}

/* The whole address space. The library lets it pass to the kernel. */
static void odp_implicit(struct run *run)
{
	register_memory(run, NULL, SIZE_MAX, ODP_ACCESS, kernel_since(7, 3) ? EOPNOTSUPP : EINVAL, NULL);
}

static void misaligned(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	register_iova(run, memory.base, memory.length, (uintptr_t)memory.base + 0x123, PIN_ACCESS, EINVAL);
}

static void pd_bad(struct run *run)
{
	struct memory memory;

	open_device(run);
	map_anon(run, &memory);
	uint32_t handle = run->device->pd->handle;
	run->device->pd->handle = 0xfffe;
	register_memory(run, memory.base, memory.length, PIN_ACCESS, kernel_since(6, 1) ? ENOENT : EINVAL, NULL);
	run->device->pd->handle = handle;
}

static void access_remote(struct run *run)
{
	register_anon(run, PAGES(16), IBV_ACCESS_REMOTE_WRITE, EINVAL);
}

static void access_atomic(struct run *run)
{
	register_anon(run, PAGES(16), IBV_ACCESS_REMOTE_ATOMIC, EINVAL);
}

static void access_unknown(struct run *run)
{
	register_anon(run, PAGES(16), PIN_ACCESS | NOT_A_FLAG, EINVAL);
}

/* Before 6.3 a bit that the kernel does not know; since then rxe asks for persistent memory, after it was pinned. */
static void access_persistent(struct run *run)
{
	register_anon(run, PAGES(16), PIN_ACCESS | FLUSH_PERSISTENT, EINVAL);
}

/* Older rxe takes flags and does nothing about them. */
static void access_driver(struct run *run)
{
	register_anon(run, PAGES(16), PIN_ACCESS | HUGETLB, kernel_since(6, 3) ? EOPNOTSUPP : 0);
}

static void access_zero_based(struct run *run)
{
	register_anon(run, PAGES(16), PIN_ACCESS | ZERO_BASED, kernel_since(6, 3) ? EOPNOTSUPP : 0);
}

/* Needs a driver that honours the flag. Pages that are there are seen at registration, others when they are faulted in. */
static void odp_hugetlb(struct run *run, bool touched)
{
	struct memory memory;

	map_memory(run, &memory, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(memory.base, memory.length, MADV_NOHUGEPAGE), "ask for small pages");
	char *base = (char *)(((uintptr_t)memory.base + HUGE - 1) & ~(HUGE - 1));
	if (touched)
		fill(base, HUGE);
	struct ibv_mr *mr = register_memory(run, base, HUGE, ODP_ACCESS | HUGETLB, touched ? EINVAL : 0, NULL);
	if (mr && !touched)
		advise(run, mr->lkey, PREFETCH_WRITE, base, HUGE, EINVAL, NULL);
}

static void odp_hugetlb_reg(struct run *run)
{
	odp_hugetlb(run, true);
}

static void odp_hugetlb_advice(struct run *run)
{
	odp_hugetlb(run, false);
}

static void odp_zero(struct run *run)
{
	register_anon(run, 0, ODP_ACCESS, EINVAL);
}

static void odp_wraps(struct run *run)
{
	register_anon(run, SIZE_MAX - PAGES(4), ODP_ACCESS, EOVERFLOW);
}

static void odp_too_long(struct run *run)
{
	register_anon(run, 1UL << 46, ODP_ACCESS, ENOMEM);
}

static void pin_zero(struct run *run)
{
	register_anon(run, 0, PIN_ACCESS, EINVAL);
}

static void pin_wraps(struct run *run)
{
	register_anon(run, SIZE_MAX - PAGES(4), PIN_ACCESS, EINVAL);
}

/* More pages than a 32-bit count holds. */
static void pin_too_long(struct run *run)
{
	register_anon(run, (1UL << 44) + PAGES(1), PIN_ACCESS, EINVAL);
}

const struct scenario reg_scenarios[] = {
	{ "odp-unsupported", "ODP registration where the driver has no ODP", odp_unsupported },
	{ "reg-implicit", "ODP registration of the whole address space", odp_implicit },
	{ "reg-misaligned", "registration whose iova has another page offset than its address", misaligned },
	{ "reg-pd-bad", "registration with a protection domain that is none", pd_bad },
	{ "reg-access-bad", "REMOTE_WRITE without LOCAL_WRITE", access_remote },
	{ "reg-access-atomic", "REMOTE_ATOMIC without LOCAL_WRITE", access_atomic },
	{ "reg-access-unknown", "a flag that no kernel knows", access_unknown },
	{ "reg-access-persistent", "FLUSH_PERSISTENT on anonymous memory", access_persistent },
	{ "reg-access-driver", "HUGETLB, which rxe does not take", access_driver },
	{ "reg-access-zero-based", "ZERO_BASED, which rxe does not take", access_zero_based },
	{ "reg-hugetlb-small", "ODP registration with HUGETLB of small pages", odp_hugetlb_reg },
	{ "hugetlb-small-w", "PREFETCH_WRITE of small pages registered with HUGETLB", odp_hugetlb_advice },
	{ "reg-zero", "ODP registration of no byte", odp_zero },
	{ "reg-wraps", "ODP registration past the end of the address space", odp_wraps },
	{ "reg-too-long", "ODP registration of 64 TiB", odp_too_long },
	{ "pin-zero", "pinned registration of no byte", pin_zero },
	{ "pin-wraps", "pinned registration past the end of the address space", pin_wraps },
	{ "pin-too-long", "pinned registration of more than 16 TiB", pin_too_long },
	{ 0 },
};
