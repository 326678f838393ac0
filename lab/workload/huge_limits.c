/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages that a limit keeps from a process although the pool has them, or a fork although it had them reserved. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT  "/sys/fs/cgroup"
#define GROUP ROOT "/workload-huge"

static void leave(void *unused, size_t size)
{
	(void)unused;
	(void)size;
	write_text(ROOT "/cgroup.procs", "0");
	rmdir(GROUP);
}

/* A page of the pool that is reserved for this mapping, and not touched yet. */
void map_hugetlb_reserved(struct run *run, struct memory *memory)
{
	fill_pool(run, 4);
	map_memory(run, memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	memory->bad = memory->base;
}

void enter_huge_cgroup(struct run *run, struct memory *memory)
{
	(void)memory;
	if (!write_text(ROOT "/cgroup.subtree_control", "+hugetlb"))
		skip(run, "no hugetlb controller of cgroup version 2: %s", strerror(errno));
	if (mkdir(GROUP, 0755) != 0 && errno != EEXIST)
		set_up_failed(run, "cannot make %s: %s", GROUP, strerror(errno));
	undo_later(run, leave, NULL, 0);
	if (!write_text(GROUP "/hugetlb.2MB.max", "0") || !write_text(GROUP "/cgroup.procs", "0"))
		set_up_failed(run, "cannot enter %s: %s", GROUP, strerror(errno));
}

static void in_child(struct run *run)
{
	struct memory *memory = run->inherited;

	register_memory(run, memory->base, memory->length, PIN_ACCESS, EFAULT, memory->bad);
}

/* The pool has the one page that the parent has touched; for the child's own copy there is none. */
static void forked(struct run *run)
{
	struct memory memory;
	int status;

	fill_pool(run, 1);
	map_memory(run, &memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	fill(memory.base, memory.length);
	memory.bad = memory.base;
	pid_t child = fork();
	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index, .inherited = &memory };

		alarm(60);
		_exit(run_scenario(&inner, in_child));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child failed");
	run->surprised |= WEXITSTATUS(status) != 0;
}

static void group(struct run *run)
{
	struct memory memory;

	map_hugetlb_reserved(run, &memory);
	enter_huge_cgroup(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
}

static void of_mount(struct run *run)
{
	struct memory memory;

	map_hugetlb_mount(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
}

static void reserved(struct run *run)
{
	struct memory memory;

	map_hugetlb_reserved(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
}

const struct scenario huge_limit_scenarios[] = {
	{ "pin-hugetlb-forked", "pinned by a child: its copy of a private huge page, of which the pool has no other", forked },
	{ "pin-hugetlb-group", "pinned: a huge page of the pool, beyond the limit of the control group", group },
	{ "pin-hugetlb-mount", "pinned: a huge page of the pool, beyond the size of the hugetlbfs mount", of_mount },
	{ "pin-hugetlb-reserved", "pinned: a huge page that the pool has reserved", reserved },
	{ 0 },
};
