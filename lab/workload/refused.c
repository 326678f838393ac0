/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations that end whatever their memory is: a control group has enough, the device is gone, the process is killed. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT  "/sys/fs/cgroup"
#define OUTER ROOT "/workload-objects"
#define INNER OUTER "/job"

static void leave(void *unused, size_t size)
{
	(void)unused;
	(void)size;
	usleep(300 * 1000); /* who watches looks up what the groups are called while they are there */
	write_text(ROOT "/cgroup.procs", "0");
	rmdir(INNER);
	rmdir(OUTER);
}

/* Of objects made from now on this process may have two: by its own group's limit, or by that of the one above. */
static void enter_limited(struct run *run, bool above)
{
	char limit[128];

	open_device(run); /* what is made before is counted elsewhere */
	snprintf(limit, sizeof(limit), "%s hca_object=2", options.device);
	if (!write_text(ROOT "/cgroup.subtree_control", "+rdma"))
		skip(run, "no RDMA controller of cgroup version 2: %s", strerror(errno));
	undo_later(run, leave, NULL, 0);
	if ((mkdir(OUTER, 0755) != 0 && errno != EEXIST) || !write_text(OUTER "/cgroup.subtree_control", "+rdma") ||
	    (mkdir(INNER, 0755) != 0 && errno != EEXIST))
		set_up_failed(run, "cannot make %s: %s", INNER, strerror(errno));
	if (!write_text(above ? OUTER "/rdma.max" : INNER "/rdma.max", limit) || !write_text(INNER "/cgroup.procs", "0"))
		set_up_failed(run, "cannot enter %s: %s", INNER, strerror(errno));
}

static void register_three(struct run *run, bool above)
{
	struct memory memory;

	enter_limited(run, above);
	map_anon(run, &memory);
	for (int i = 0; i < 3; i++)
		register_memory(run, memory.base, memory.length, PIN_ACCESS, i < 2 ? 0 : EAGAIN, NULL);
}

static void own_limit(struct run *run)
{
	register_three(run, false);
}

static void limit_above(struct run *run)
{
	register_three(run, true);
}

/* The device goes while it is open. Where the driver cannot take it from who has it open, this would wait for ever. */
static void removed(struct run *run)
{
	struct memory memory;
	char command[128];

	map_anon(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
	snprintf(command, sizeof(command), "exec rdma link delete %s", options.device);
	if (system(command) != 0)
		set_up_failed(run, "cannot remove %s", options.device);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EIO, NULL);
}

/* A child that does not live to tell: which memory it registers it says before. */
struct victim {
	void (*make)(struct run *, struct memory *);
	void (*prepare)(struct run *, struct memory *);
	int says[2];
};
static __thread struct victim victim;

static void be_victim(struct run *run)
{
	struct memory memory;

	victim.make(run, &memory);
	open_device(run);
	if (victim.prepare)
		victim.prepare(run, &memory);
	if (write(victim.says[1], &memory, sizeof(memory)) != sizeof(memory))
		set_up_failed(run, "nobody listens");
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EINTR, NULL);
}

static void kill_in_pin(struct run *run, int signal, int expect)
{
	struct memory memory = {};
	int status;

	must(run, pipe(victim.says), "make a pipe");
	pid_t child = fork();
	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index };

		alarm(60);
		_exit(run_scenario(&inner, be_victim) ? 3 : 4);
	}
	close(victim.says[1]);
	bool ready = read(victim.says[0], &memory, sizeof(memory)) == sizeof(memory);
	close(victim.says[0]);
	if (ready && signal) {
		usleep(500 * 1000); /* by then it waits */
		kill(child, signal);
	}
	if (waitpid(child, &status, 0) != child || !ready)
		set_up_failed(run, "the child process failed");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child process failed, or its registration succeeded");
	print_outcome(run, &(struct outcome){ .op = "reg_mr", .address = memory.base, .length = memory.length, .error = expect, .expect_error = expect, .wc = -1, .process = child, .ok = WIFSIGNALED(status) && WTERMSIG(status) == (signal ? signal : SIGKILL) });
}

/* A page is waited for that nobody brings. */
static void killed(struct run *run)
{
	victim.make = map_anon_untouched;
	victim.prepare = spoil_userfault_unserved;
	kill_in_pin(run, SIGKILL, EINTR);
	kill_in_pin(run, SIGTERM, EINTR);
}

/* More than the memory cgroup may have, and the kernel kills who asks for it. */
static void killed_for_memory(struct run *run)
{
	undo_later(run, remove_small_cgroup, NULL, 0);
	victim.make = map_more_than_cgroup;
	victim.prepare = enter_deadly_cgroup;
	kill_in_pin(run, 0, EINTR);
}

const struct scenario refused_scenarios[] = {
	{ "reg-objects", "registered: more objects than the control group may have", own_limit },
	{ "reg-objects-above", "registered: more objects than a control group above may have", limit_above },
	{ "reg-removed", "registered: the device is gone", removed },
	{ "pin-oom-killed", "pinned: killed by the kernel, since the memory cgroup is full", killed_for_memory },
	{ "pin-killed", "pinned: killed while it waits for a page, by SIGKILL and by SIGTERM", killed },
	{ 0 },
};
