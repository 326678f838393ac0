/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of one shape: memory is made and registered on demand, one page of it is spoiled, and the whole range is
 * reached in one of four ways. The name says both: hole-p is the kind "hole" reached by PREFETCH. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static const char letters[] = "pwxa"; /* in the order of enum way */

static void must(struct run *run, int result, const char *what)
{
	if (result != 0)
		set_up_failed(run, "cannot %s: %s", what, strerror(errno));
}

static void spoil_nothing(struct run *run, struct memory *memory)
{
	(void)run;
	(void)memory;
}

static void spoil_unmap(struct run *run, struct memory *memory)
{
	must(run, munmap(memory->bad, PAGE), "unmap a page");
}

static void spoil_protnone(struct run *run, struct memory *memory)
{
	must(run, mprotect(memory->bad, PAGE, PROT_NONE), "protect a page");
}

static void spoil_readonly(struct run *run, struct memory *memory)
{
	must(run, mprotect(memory->bad, memory->base + memory->length - memory->bad, PROT_READ), "protect pages");
}

static void spoil_readonly_all(struct run *run, struct memory *memory)
{
	memory->bad = memory->base;
	spoil_readonly(run, memory);
}

static void spoil_truncate(struct run *run, struct memory *memory)
{
	must(run, ftruncate(memory->fd, memory->bad - memory->base), "truncate the file");
}

static void spoil_device(struct run *run, struct memory *memory)
{
	map_device_at(run, memory->bad, PAGE);
}

static void spoil_guard(struct run *run, struct memory *memory)
{
	must(run, madvise(memory->bad, PAGE, 102 /* MADV_GUARD_INSTALL, since 6.13 */), "install a guard page");
}

static void ignore(int signal)
{
	(void)signal;
}

static void spoil_poison(struct run *run, struct memory *memory)
{
	struct sigaction action = {.sa_handler = ignore}; /* poisoning a mapped page sends SIGBUS to its owner */

	must(run, sigaction(SIGBUS, &action, NULL), "handle SIGBUS");
	must(run, madvise(memory->bad, PAGE, MADV_HWPOISON), "poison a page (needs CONFIG_MEMORY_FAILURE)");
}

static void spoil_shutdown(struct run *run, struct memory *memory)
{
	uint32_t without_log = 2;

	must(run, ioctl(memory->fd, _IOR('X', 125, uint32_t) /* XFS_IOC_GOINGDOWN */, &without_log),
		"shut the file system down (it must be XFS)");
}

static const struct kind {
	const char *name, *ways; /* ways: which of letters[] there are */
	void (*make)(struct run *, struct memory *);
	void (*spoil)(struct run *, struct memory *);
	int error;
	const char *what;
} kinds[] = {
	{"hole", "pwxa", map_anon, spoil_unmap, EFAULT, "a page in the middle is unmapped"},
	{"protnone", "pwxa", map_anon, spoil_protnone, EFAULT, "a page in the middle is PROT_NONE"},
	{"readonly", "w", map_anon, spoil_readonly, EPERM, "the second part of the range is PROT_READ"},
	{"readonly-all", "w", map_anon, spoil_readonly_all, EPERM, "the whole range is PROT_READ"},
	{"mixed-device", "pxa", map_anon, spoil_device, EFAULT, "a page in the middle is a PCI BAR"},
	{"device", "px", map_device, spoil_nothing, EFAULT, "the whole range is a PCI BAR"},
	{"special", "pwa", map_anon, map_special_over, EFAULT, "from the middle on pages without struct page (fsdax-2021)"},
	{"hwpoison", "px", map_anon, spoil_poison, EFAULT, "a page in the middle is poisoned"},
	{"guard", "p", map_anon, spoil_guard, EFAULT, "a page in the middle is a guard page (since 6.13)"},
	{"fsdax-eof", "pwxa", map_fsdax, spoil_truncate, EFAULT, "fsdax file truncated below the MR"},
	{"fsdax-never-sized", "p", map_fsdax_unsized, spoil_nothing, EFAULT, "fsdax file of size 0"},
	{"tmpfs-eof", "pxa", map_tmpfs, spoil_truncate, EFAULT, "tmpfs file truncated below the MR"},
	{"hugetlb-empty", "p", map_hugetlb_unbacked, spoil_nothing, EFAULT, "huge pages, but the pool is empty"},
	{"xfs-shutdown", "p", map_fsdax_half, spoil_shutdown, EFAULT, "fsdax on XFS, which was shut down"},
};

static const struct kind *find(const char *name, enum way *way)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].name);

		if (strncmp(name, kinds[i].name, length) != 0 || name[length] != '-' || strlen(name) != length + 2)
			continue;
		if (!strchr(kinds[i].ways, name[length + 1]))
			continue;
		*way = strchr(letters, name[length + 1]) - letters;
		return &kinds[i];
	}
	return NULL;
}

bool is_spoiled(const char *name)
{
	enum way way;

	return find(name, &way) != NULL;
}

void list_spoiled(void)
{
	static const char *const said[] = {"PREFETCH", "PREFETCH_WRITE", "RDMA WRITE", "asynchronous PREFETCH"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (const char *letter = kinds[i].ways; *letter; letter++)
			printf("%s-%c\t%s, %s\n", kinds[i].name, *letter, said[strchr(letters, *letter) - letters], kinds[i].what);
}

bool run_spoiled(struct run *run, const char *name)
{
	struct memory memory;
	enum way way;
	const struct kind *kind = find(name, &way);

	if (!kind)
		return false;
	kind->make(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr && run->gate)
		set_up_failed(run, "cannot register healthy memory");
	if (!mr)
		return true;
	if (way == RDMA_WRITE)
		build_pair(run, memory.length);
	pass_gate(run);
	kind->spoil(run, &memory);
	if (way == RDMA_WRITE)
		rdma_write(run, mr, memory.base, memory.length, IBV_WC_REM_ACCESS_ERR, memory.bad);
	else
		advise(run, mr->lkey, way, memory.base, memory.length, kind->error, memory.bad);
	unregister_memory(run, mr);
	pass_gate(run);
	return true;
}
