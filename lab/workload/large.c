/* SPDX-License-Identifier: Apache-2.0 */
/* Large, sparse MRs: nothing is there but what is prefetched. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <sys/mman.h>

#define GIB (1UL << 30)

static void prefetch_around(struct run *run, size_t length, size_t hole, int reg_error)
{
	struct memory memory;

	map_memory(run, &memory, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	must(run, madvise(memory.base, length, MADV_NOHUGEPAGE), "ask for small pages");
	struct ibv_mr *mr = register_memory(run, memory.base, length, ODP_ACCESS, reg_error, NULL);
	if (!mr)
		return;
	memory.bad = memory.base + hole;
	must(run, munmap(memory.bad, PAGE), "unmap a page");
	advise(run, mr->lkey, PREFETCH_WRITE, memory.base, PAGES(16), 0, NULL);
	advise(run, mr->lkey, PREFETCH, memory.base + length - PAGES(16), PAGES(16), 0, NULL);
	advise(run, mr->lkey, PREFETCH, memory.bad - PAGES(8), PAGES(16), EFAULT, memory.bad);
}

static void large(struct run *run)
{
	prefetch_around(run, 2 * GIB - HUGE, GIB + GIB / 2, 0);
}

/* rxe keeps the length for its first look at the pages in an int: 4 GiB are none. */
static void larger(struct run *run)
{
	open_device(run);
	if (run->device->odp_write && !kernel_since(7, 3))
		skip(run, "rxe before 7.3 frees an MR twice whose first look at the pages fails, and the kernel dies of it");
	prefetch_around(run, 4 * GIB, 3 * GIB, run->device->odp_write ? EINVAL : 0);
}

const struct scenario large_scenarios[] = {
	{ "large-p", "PREFETCH in an MR of almost 2 GiB, with a hole at 1.5 GiB", large },
	{ "larger-p", "the same in an MR of 4 GiB, with a hole at 3 GiB", larger },
	{ 0 },
};
