/* SPDX-License-Identifier: Apache-2.0 */
/* A memory cgroup too small for the memory of a scenario. Where this process may not be killed the fault must fail. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT  "/sys/fs/cgroup"
#define GROUP ROOT "/workload"

enum { LIMIT_MIB = 4 };

static int limit = -1; /* memory.max, open */

static void leave(void *unused, size_t size)
{
	(void)unused;
	(void)size;
	if (write(limit, "max", 3) != 3)
		perror("workload: lifting the limit of a cgroup");
	close(limit);
	write_text(ROOT "/cgroup.procs", "0");
	write_text("/proc/self/oom_score_adj", "0");
	rmdir(GROUP);
}

/* At the limit not even a file can be opened. */
static void lift_limit(struct run *run)
{
	if (write(limit, "max", 3) != 3)
		set_up_failed(run, "cannot lift the limit of %s: %s", GROUP, strerror(errno));
}

void map_more_than_cgroup(struct run *run, struct memory *memory)
{
	map_memory(run, memory, 4 * (LIMIT_MIB << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(memory->base, memory->length, MADV_NOHUGEPAGE), "ask for small pages");
}

static void enter(struct run *run, bool may_be_killed)
{
	if (!write_text(ROOT "/cgroup.subtree_control", "+memory"))
		skip(run, "no memory controller of cgroup version 2: %s", strerror(errno));
	if (mkdir(GROUP, 0755) != 0 && errno != EEXIST)
		set_up_failed(run, "cannot make %s: %s", GROUP, strerror(errno));
	limit = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	if (limit < 0)
		set_up_failed(run, "cannot open the limit of %s: %s", GROUP, strerror(errno));
	undo_later(run, leave, NULL, 0);
	/* The kernel looks for the victim among the group's processes; with none to be had the charge fails. */
	if (!write_text("/proc/self/oom_score_adj", may_be_killed ? "0" : "-1000") || write(limit, "4M", 2) != 2 ||
	    !write_text(GROUP "/cgroup.procs", "0"))
		set_up_failed(run, "cannot enter %s: %s", GROUP, strerror(errno));
	write_text(GROUP "/memory.swap.max", "0");
	run->relieve = lift_limit;
}

void enter_small_cgroup(struct run *run, struct memory *memory)
{
	memory->bad = NULL;
	enter(run, false);
}

void enter_deadly_cgroup(struct run *run, struct memory *memory)
{
	(void)memory;
	enter(run, true);
}

void remove_small_cgroup(void *unused, size_t size)
{
	(void)unused;
	(void)size;
	for (int i = 0; i < 100 && rmdir(GROUP) != 0 && errno == EBUSY; i++)
		usleep(20 * 1000); /* who was killed there may not be gone yet */
}
