/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are wrong by themselves: the memory is healthy, and no page is ever looked at. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

static void range_beyond(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, PAGES(12), ODP_ACCESS, 0, NULL);
	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base + PAGES(8), PAGES(8), EFAULT, NULL);
}

static void lkey_bad(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (mr)
		advise(run, mr->lkey ^ 0x5500, PREFETCH, memory.base, memory.length, EINVAL, NULL);
}

/* Stock rxe looks MRs up with LOCAL_WRITE and finds none; fsdax-2021's refuses as mlx5 does, and has no data path. */
static void mr_readonly(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, IBV_ACCESS_ON_DEMAND, 0, NULL);
	if (mr)
		advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, run->device->odp_write ? EINVAL : EPERM, NULL);
}

/* The errno of a device without ODP changed in Linux 6.12. */
static void odp_unsupported(struct run *run)
{
	struct memory memory;
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	map_anon(run, &memory);
	register_memory(run, memory.base, memory.length, ODP_ACCESS,
		major > 6 || (major == 6 && minor >= 12) ? EOPNOTSUPP : EINVAL, NULL);
}

static void reg_misaligned(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	register_iova(run, memory.base, memory.length, (uintptr_t)memory.base + 0x123, PIN_ACCESS, EINVAL);
}

static void reg_access_bad(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	register_memory(run, memory.base, memory.length, IBV_ACCESS_REMOTE_WRITE, EINVAL, NULL);
}

static void reg_too_long(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	register_memory(run, memory.base, 1UL << 46, ODP_ACCESS, ENOMEM, NULL);
}

const struct scenario edge_scenarios[] = {
	{"range-beyond-p", "PREFETCH past the end of the MR", range_beyond},
	{"lkey-bad-p", "PREFETCH with a key that is no MR's", lkey_bad},
	{"mr-readonly-w", "PREFETCH_WRITE on an MR without LOCAL_WRITE", mr_readonly},
	{"odp-unsupported", "ODP registration where the driver has no ODP", odp_unsupported},
	{"reg-misaligned", "registration whose iova has another page offset than its address", reg_misaligned},
	{"reg-access-bad", "REMOTE_WRITE without LOCAL_WRITE", reg_access_bad},
	{"reg-too-long", "ODP registration of 64 TiB", reg_too_long},
	{0},
};
