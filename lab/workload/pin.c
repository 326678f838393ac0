/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations without on-demand paging: the kernel pins every page at once. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static void pin(struct run *run, struct memory *memory, int expect)
{
	register_memory(run, memory->base, memory->length, PIN_ACCESS, expect, expect ? memory->bad : NULL);
}

static void pin_fsdax(struct run *run)
{
	struct memory memory;

	map_fsdax(run, &memory);
	memory.bad = memory.base;
	pin(run, &memory, EOPNOTSUPP);
}

/* Anonymous memory, then fsdax: the first page that the kernel refuses is in the middle of the range. */
static void pin_fsdax_middle(struct run *run)
{
	struct memory memory, file;

	map_anon(run, &memory);
	map_fsdax(run, &file);
	size_t rest = memory.base + memory.length - memory.bad;
	if (mmap(memory.bad, rest, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED, file.fd, 0) == MAP_FAILED)
		set_up_failed(run, "cannot map fsdax over anonymous memory: %s", strerror(errno));
	fill(memory.bad, rest);
	pin(run, &memory, EOPNOTSUPP);
}

static void pin_protnone(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	if (mprotect(memory.bad, PAGE, PROT_NONE) != 0)
		set_up_failed(run, "cannot protect a page: %s", strerror(errno));
	pin(run, &memory, EFAULT);
}

static void pin_hole(struct run *run)
{
	struct memory memory;

	open_device(run); /* before the hole is made: nothing may be mapped into it */
	map_anon(run, &memory);
	if (munmap(memory.bad, PAGE) != 0)
		set_up_failed(run, "cannot unmap a page: %s", strerror(errno));
	pin(run, &memory, EFAULT);
}

static void pin_readonly(struct run *run)
{
	struct memory memory;

	map_tmpfs_readonly(run, &memory);
	pin(run, &memory, EFAULT);
}

static void pin_device(struct run *run)
{
	struct memory memory;

	map_device(run, &memory);
	pin(run, &memory, EFAULT);
}

static void pin_special(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	map_special_over(run, &memory);
	pin(run, &memory, EEXIST);
}

/* Long-term write pins of file pages that need dirty tracking are refused since Linux 6.5 or so; measured: not 6.1, but 6.12. */
static void pin_disk(struct run *run)
{
	struct memory memory;

	map_disk(run, &memory);
	memory.bad = memory.base;
	pin(run, &memory, kernel_since(6, 5) ? EFAULT : 0);
}

const struct scenario pin_scenarios[] = {
	{ "pin-fsdax", "pinned fsdax", pin_fsdax },
	{ "pin-fsdax-middle", "pinned: anonymous memory, then fsdax", pin_fsdax_middle },
	{ "pin-protnone", "pinned: a page in the middle is PROT_NONE", pin_protnone },
	{ "pin-hole", "pinned: a page in the middle is unmapped", pin_hole },
	{ "pin-readonly", "pinned for writing: a shared file mapped PROT_READ", pin_readonly },
	{ "pin-device", "pinned PCI BAR", pin_device },
	{ "pin-special", "pinned: anonymous memory, then pages without struct page (fsdax-2021)", pin_special },
	{ "pin-disk", "pinned for writing: a shared file of a disk file system", pin_disk },
	{ 0 },
};
