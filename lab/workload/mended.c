/* SPDX-License-Identifier: Apache-2.0 */
/* A registration that fails, and another after it: of all the memory with all rights, or of less. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* The pool has a hole; its header alone has not. */
static void smaller(struct run *run)
{
	struct memory memory;

	open_device(run);
	map_anon(run, &memory);
	spoil_unmap(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
	register_memory(run, memory.base, PAGE, PIN_ACCESS, 0, NULL);
}

/* Written to it cannot be, so it is registered to be read. */
static void weaker(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	must(run, mprotect(memory.base, memory.length, PROT_READ), "protect memory");
	memory.bad = memory.base;
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
	register_memory(run, memory.base, memory.length, IBV_ACCESS_REMOTE_READ, 0, NULL);
}

/* The hole is filled, and all of it registered again. */
static void whole(struct run *run)
{
	struct memory memory;

	open_device(run);
	map_anon(run, &memory);
	spoil_unmap(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
	void *mapped = mmap(memory.bad, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	must(run, mapped == MAP_FAILED ? -1 : 0, "map a page");
	register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
}

const struct scenario mended_scenarios[] = {
	{ "then-smaller", "pinned over a hole, then its first page alone", smaller },
	{ "then-weaker", "pinned for writing, then for reading alone", weaker },
	{ "then-whole", "pinned over a hole, which is filled, and again", whole },
	{ 0 },
};
