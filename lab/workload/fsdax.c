/* SPDX-License-Identifier: Apache-2.0 */
/* The 2021 bug: healthy fsdax memory mapped by 4 KiB entries. Fails only on a kernel with the bug (--expect broken). */
#include "workload.h"

#include <errno.h>

static int bug(void)
{
	return options.broken ? EFAULT : 0;
}

static void fsdax_reg(struct run *run)
{
	struct memory memory;
	int expect = options.fault_at_reg ? bug() : 0;

	map_fsdax(run, &memory);
	register_memory(run, memory.base, memory.length, ODP_ACCESS, expect, expect ? memory.base : NULL);
}

/* Starts inside the MR, so that the failing page is neither the first of the MR nor of the file. */
static void prefetch(struct run *run, enum way way)
{
	struct memory memory;

	map_fsdax(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	char *start = memory.base + PAGES(3);
	if (mr)
		advise(run, mr->lkey, way, start, PAGES(10), bug(), bug() ? start : NULL);
}

static void fsdax_prefetch(struct run *run)
{
	prefetch(run, PREFETCH);
}

static void fsdax_prefetch_write(struct run *run)
{
	prefetch(run, PREFETCH_WRITE);
}

static void fsdax_prefetch_later(struct run *run)
{
	prefetch(run, PREFETCH_LATER);
}

static void fsdax_prefetch_middle(struct run *run)
{
	struct memory memory;

	map_fsdax_sparse(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (mr)
		advise(run, mr->lkey, PREFETCH, memory.base, memory.length, bug(), bug() ? memory.bad : NULL);
}

const struct scenario fsdax_scenarios[] = {
	{ "fsdax-reg", "fsdax: ODP registration", fsdax_reg },
	{ "fsdax-prefetch", "fsdax: PREFETCH", fsdax_prefetch },
	{ "fsdax-prefetch-write", "fsdax: PREFETCH_WRITE", fsdax_prefetch_write },
	{ "fsdax-prefetch-later", "fsdax: asynchronous PREFETCH", fsdax_prefetch_later },
	{ "fsdax-prefetch-middle", "fsdax: PREFETCH over holes, then over written pages", fsdax_prefetch_middle },
	{ 0 },
};
