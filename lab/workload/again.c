/* SPDX-License-Identifier: Apache-2.0 */
/* The same failure again and again, as fast as it can, and others of the same request between: what the tracer keeps of
 * one must not serve for another. Lines are named again:SCENARIO, to be looked up by the second part. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

enum { TIMES = 6 };

static void fail_again(struct run *run, struct ibv_mr *mr, const struct memory *memory, const char *as)
{
	int errors[TIMES];
	char name[64];

	/* printing is left for later: it takes time */
	for (int i = 0; i < TIMES; i++)
		errors[i] = try_advice(run->device, 0 /* PREFETCH */, mr->lkey, memory->base, memory->length);
	snprintf(name, sizeof(name), "%s:%s", run->scenario, as);
	struct run named = {.scenario = name};
	for (int i = 0; i < TIMES; i++)
		print_outcome(&named, &(struct outcome){.op = "advise_mr", .address = memory->base, .length = memory->length,
			.error = errors[i], .expect_error = EFAULT, .wc = -1, .bad = memory->bad, .ok = errors[i] == EFAULT});
	run->surprised |= named.surprised;
}

static void map_anew(struct run *run, const struct memory *memory)
{
	void *mapped = mmap(memory->bad, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	must(run, mapped == MAP_FAILED ? -1 : 0, "map a page");
}

static void again(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		return;
	memory.bad = memory.base + PAGES(5);
	spoil_unmap(run, &memory);
	fail_again(run, mr, &memory, "hole-p");
	map_anew(run, &memory);
	advise(run, mr->lkey, PREFETCH, memory.base, memory.length, 0, NULL);
	/* one check of the kernel's refuses both, for the same range: only the mapping tells them apart */
	spoil_protnone(run, &memory);
	fail_again(run, mr, &memory, "protnone-p");
	map_device_at(run, memory.bad, PAGE);
	fail_again(run, mr, &memory, "mixed-device-p");
	map_anew(run, &memory);
	/* of the same kind as the first ones, elsewhere */
	memory.bad = memory.base + PAGES(9);
	spoil_unmap(run, &memory);
	fail_again(run, mr, &memory, "hole-p");
	map_anew(run, &memory);
	advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, 0, NULL);
}

const struct scenario again_scenarios[] = {
	{"again", "PREFETCH that fails six times in a row, for one reason and then another, at the same place", again},
	{0},
};
