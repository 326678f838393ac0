/* SPDX-License-Identifier: Apache-2.0 */
/* An MR that outlives the process whose memory it is: a child has inherited the device's descriptor. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(struct run *run, struct ibv_mr *mr, struct memory *memory, pid_t owner, int gone)
{
	char byte;

	while (getppid() == owner)
		usleep(10 * 1000);
	if (read(gone, &byte, 1) != 1) /* the owner is not only dead, but reaped */
		set_up_failed(run, "nobody says that the owner is gone");
	advise(run, mr->lkey, PREFETCH, memory->base, memory->length, EINVAL, NULL);
}

static struct family {
	int gone[2];
} family;

/* Ends without taking anything down: the child has the descriptors, and with them the MR. */
static void be_owner(struct run *run)
{
	struct memory memory;
	pid_t owner = getpid();

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		_exit(3);
	pid_t child = fork();
	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child > 0)
		_exit(run->surprised);
	close(family.gone[1]);
	in_child(run, mr, &memory, owner, family.gone[0]);
	_exit(run->surprised);
}

static void owner_exited(struct run *run)
{
	int status;

	if (pipe(family.gone) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		set_up_failed(run, "cannot become the one that reaps: %s", strerror(errno));
	undo_later(run, close_fd, NULL, family.gone[0]);
	undo_later(run, close_fd, NULL, family.gone[1]);
	pid_t owner = fork();
	if (owner < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (owner == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index };

		alarm(60);
		_exit(run_scenario(&inner, be_owner));
	}
	if (waitpid(owner, &status, 0) != owner || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the owner failed");
	run->surprised |= WEXITSTATUS(status) != 0;
	if (write(family.gone[1], "", 1) != 1)
		set_up_failed(run, "cannot tell that the owner is gone: %s", strerror(errno));
	if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the owner's child failed");
	run->surprised |= WEXITSTATUS(status) != 0;
}

const struct scenario owner_scenarios[] = {
	{ "owner-exited-p", "PREFETCH by a child after the MR's process is gone", owner_exited },
	{ 0 },
};
