/* SPDX-License-Identifier: Apache-2.0 */
/* The same failure again and again, as fast as it can, and others of the same request between: what the tracer keeps of
 * one must not serve for another. Lines are named again:SCENARIO (again-pinned: and so on), to be looked up by the second part. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

enum {
	TIMES = 6,
	HUGETLB = 1 << 7, /* IBV_ACCESS_HUGETLB, which older rdma-core does not declare */
};

struct attempt {
	const char *as, *op;
	const struct memory *memory;
	int expect;
	uint32_t lkey; /* of advice */
	int access; /* of a registration */
	const void *bad;
};

static int prefetch_again(struct run *run, const struct attempt *what)
{
	return try_advice(run->device, 0 /* PREFETCH */, what->lkey, what->memory->base, what->memory->length);
}

static int register_again(struct run *run, const struct attempt *what)
{
	errno = 0;
	struct ibv_mr *mr = ibv_reg_mr(run->device->pd, what->memory->base, what->memory->length, what->access);

	if (!mr)
		return errno;
	ibv_dereg_mr(mr);
	return 0;
}

static void fail_again(struct run *run, int (*attempt)(struct run *, const struct attempt *), struct attempt what)
{
	int errors[TIMES];
	char name[64];

	/* printing is left for later: it takes time */
	for (int i = 0; i < TIMES; i++)
		errors[i] = attempt(run, &what);
	snprintf(name, sizeof(name), "%s:%s", run->scenario, what.as);
	struct run named = { .scenario = name };
	for (int i = 0; i < TIMES; i++)
		print_outcome(&named, &(struct outcome){ .op = what.op, .address = what.memory->base, .length = what.memory->length, .error = errors[i], .expect_error = what.expect, .wc = -1, .bad = what.bad, .ok = errors[i] == what.expect });
	run->surprised |= named.surprised;
}

static void advise_again(struct run *run, struct ibv_mr *mr, const struct memory *memory, const char *as)
{
	fail_again(run, prefetch_again, (struct attempt){ .as = as, .op = "advise_mr", .memory = memory, .expect = EFAULT, .lkey = mr->lkey, .bad = memory->bad });
}

static void pin_again(struct run *run, const struct memory *memory, const char *as)
{
	fail_again(run, register_again, (struct attempt){ .as = as, .op = "reg_mr", .memory = memory, .expect = EFAULT, .access = PIN_ACCESS, .bad = memory->bad });
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
	advise_again(run, mr, &memory, "hole-p");
	map_anew(run, &memory);
	advise(run, mr->lkey, PREFETCH, memory.base, memory.length, 0, NULL);
	/* one check of the kernel's refuses both, for the same range: only the mapping tells them apart */
	spoil_protnone(run, &memory);
	advise_again(run, mr, &memory, "protnone-p");
	map_device_at(run, memory.bad, PAGE);
	advise_again(run, mr, &memory, "mixed-device-p");
	map_anew(run, &memory);
	/* of the same kind as the first ones, elsewhere */
	memory.bad = memory.base + PAGES(9);
	spoil_unmap(run, &memory);
	advise_again(run, mr, &memory, "hole-p");
	map_anew(run, &memory);
	advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, 0, NULL);
}

static void again_pinned(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	open_device(run);
	memory.bad = memory.base + PAGES(5);
	spoil_unmap(run, &memory);
	pin_again(run, &memory, "pin-hole");
	map_anew(run, &memory);
	spoil_protnone(run, &memory);
	pin_again(run, &memory, "pin-protnone");
	map_device_at(run, memory.bad, PAGE);
	pin_again(run, &memory, "pin-device");
	map_anew(run, &memory);
	memory.bad = memory.base + PAGES(9);
	spoil_unmap(run, &memory);
	pin_again(run, &memory, "pin-hole");
	map_anew(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
}

/* Whatever the memory is: the verb refuses the one, the driver the other. */
static void again_refused(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	open_device(run);
	for (int i = 0; i < 2; i++) {
		fail_again(run, register_again, (struct attempt){ .as = "reg-access-bad", .op = "reg_mr", .memory = &memory, .expect = EINVAL, .access = IBV_ACCESS_REMOTE_WRITE });
		fail_again(run, register_again, (struct attempt){ .as = "reg-access-atomic", .op = "reg_mr", .memory = &memory, .expect = EINVAL, .access = IBV_ACCESS_REMOTE_ATOMIC });
		if (kernel_since(6, 3))
			fail_again(run, register_again, (struct attempt){ .as = "reg-access-driver", .op = "reg_mr", .memory = &memory, .expect = EOPNOTSUPP, .access = PIN_ACCESS | HUGETLB });
	}
	register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
}

const struct scenario again_scenarios[] = {
	{ "again", "PREFETCH that fails six times in a row, for one reason and then another, at the same place", again },
	{ "again-pinned", "registered six times in a row, for one reason and then another, at the same place", again_pinned },
	{ "again-refused", "registered six times in a row with rights that are refused", again_refused },
	{ 0 },
};
