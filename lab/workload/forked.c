/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a parent's MR, in its child. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread struct memory inherited;
static __thread bool by_advice;

static void use_in_child(struct run *run)
{
	if (!by_advice) {
		register_memory(run, inherited.base, inherited.length, PIN_ACCESS, EFAULT, inherited.bad);
		return;
	}
	struct ibv_mr *mr = register_memory(run, inherited.base, inherited.length, ODP_ACCESS, 0, NULL);
	if (mr)
		advise(run, mr->lkey, PREFETCH, inherited.base, inherited.length, EFAULT, inherited.bad);
}

/* In a child of its own, or in a grandchild. */
static void in_descendant(struct run *run, int generations)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index };

		alarm(60);
		if (generations > 1) {
			in_descendant(&inner, generations - 1);
			_exit(inner.surprised);
		}
		_exit(run_scenario(&inner, use_in_child));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child process failed");
	if (WEXITSTATUS(status) != 0)
		run->surprised = true;
}

/* What ibv_fork_init() does where the kernel does not copy pinned pages at fork(). */
static void withhold_and_fork(struct run *run, int generations)
{
	map_anon(run, &inherited);
	must(run, madvise(inherited.base, inherited.length, MADV_DONTFORK), "keep memory from children");
	inherited.bad = inherited.base;
	if (register_memory(run, inherited.base, inherited.length, PIN_ACCESS, 0, NULL))
		in_descendant(run, generations);
}

static void withheld(struct run *run)
{
	by_advice = false;
	withhold_and_fork(run, 1);
}

static void withheld_twice(struct run *run)
{
	by_advice = false;
	withhold_and_fork(run, 2);
}

static void withheld_advised(struct run *run)
{
	by_advice = true;
	withhold_and_fork(run, 1);
}

/* The nearest neighbour: the child had the memory, and gave it up itself. */
static void unmap_and_use(struct run *run)
{
	must(run, munmap(inherited.base, inherited.length), "unmap memory");
	use_in_child(run);
}

static void given_up(struct run *run)
{
	int status;

	by_advice = false;
	open_device(run);
	map_anon(run, &inherited);
	inherited.bad = inherited.base;
	if (!register_memory(run, inherited.base, inherited.length, PIN_ACCESS, 0, NULL))
		return;
	pid_t child = fork();
	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index, .device = run->device };

		_exit(run_scenario(&inner, unmap_and_use));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child process failed");
	run->surprised |= WEXITSTATUS(status) != 0;
}

const struct scenario forked_scenarios[] = {
	{ "pin-dontfork", "pinned by a child: the parent's MR, which children do not get", withheld },
	{ "pin-dontfork-twice", "the same by a child's child", withheld_twice },
	{ "dontfork-p", "PREFETCH by a child of the parent's MR, which children do not get", withheld_advised },
	{ "pin-given-up", "pinned by a child: the parent's MR, which the child has unmapped", given_up },
	{ 0 },
};
