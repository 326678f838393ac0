/* SPDX-License-Identifier: Apache-2.0 */
/* Many at once: three processes of four threads each, every thread with its own failure and its own bad page, all let
 * go at the same instant. Lines are named CROWD:SCENARIO, so each can be told apart and looked up by its second part. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PROCESSES = 3,
	THREADS = 4,
	ROUNDS = 3,
};

struct member {
	const char *crowd, *scenario;
	struct device *device;
	pthread_barrier_t *gate;
	unsigned bad_index;
	int status;
};

static __thread struct member *self;

static void one_round(struct run *run)
{
	struct memory memory;

	run->device = self->device;
	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		set_up_failed(run, "cannot register anonymous memory");
	if (!run_spoiled(run, self->scenario))
		set_up_failed(run, "there is no scenario %s", self->scenario);
	advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, 0, NULL);
}

static void *live(void *argument)
{
	char name[64];

	self = argument;
	snprintf(name, sizeof(name), "%s:%s", self->crowd, self->scenario);
	for (int round = 0; round < ROUNDS; round++) {
		struct run run = { .scenario = name, .gate = self->gate, .bad_index = self->bad_index };
		int status = run_scenario(&run, one_round);

		if (status > self->status)
			self->status = status;
		if (status == 3)
			_exit(3); /* the others would wait at the gate for ever */
		pthread_barrier_wait(self->gate); /* nobody maps anything new while another still has a hole */
	}
	return NULL;
}

struct family {
	const char *crowd;
	const char *const *scenarios;
	pthread_barrier_t *gate;
	unsigned process;
};
static struct family *family;

static void one_process(struct run *run)
{
	pthread_t threads[THREADS];
	struct member members[THREADS];

	open_device(run);
	for (unsigned i = 0; i < THREADS; i++) {
		members[i] = (struct member){ .crowd = family->crowd, .scenario = family->scenarios[i], .device = run->device, .gate = family->gate, .bad_index = 3 + family->process * THREADS + i };
		if (pthread_create(&threads[i], NULL, live, &members[i]) != 0)
			set_up_failed(run, "cannot start a thread");
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (members[i].status)
			run->surprised = true;
	}
}

static void crowd(struct run *run, const char *const scenarios[THREADS])
{
	pthread_barrierattr_t shared;
	pid_t children[PROCESSES];
	bool failed = false;
	pthread_barrier_t *gate = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (gate == MAP_FAILED)
		set_up_failed(run, "cannot map shared memory: %s", strerror(errno));
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(gate, &shared, PROCESSES * THREADS);
	for (unsigned i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] < 0)
			set_up_failed(run, "cannot fork: %s", strerror(errno));
		if (children[i] == 0) {
			struct run inner = { .scenario = run->scenario };

			alarm(120); /* in case another process never comes to the gate */
			family = &(struct family){ run->scenario, scenarios, gate, i };
			_exit(run_scenario(&inner, one_process));
		}
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		waitpid(children[i], &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) == 3)
			failed = true;
		else if (WEXITSTATUS(status) != 0)
			run->surprised = true;
	}
	munmap(gate, PAGE);
	if (failed)
		set_up_failed(run, "a process of the crowd failed or was stuck");
}

static void crowd_callers(struct run *run)
{
	static const char *const scenarios[THREADS] = { "hole-p", "protnone-p", "readonly-w", "tmpfs-eof-p" };

	crowd(run, scenarios);
}

static void crowd_workers(struct run *run)
{
	static const char *const scenarios[THREADS] = { "hole-x", "protnone-a", "tmpfs-eof-x", "hole-a" };

	crowd(run, scenarios);
}

static void crowd_prefetchers(struct run *run)
{
	static const char *const scenarios[THREADS] = { "hole-a", "protnone-a", "tmpfs-eof-a", "mixed-device-a" };

	crowd(run, scenarios);
}

const struct scenario crowd_scenarios[] = {
	{ "crowd", "3 processes of 4 threads, a different failing advice each", crowd_callers },
	{ "owner-workers", "3 processes of 4 threads, RDMA WRITE and asynchronous PREFETCH failing in kernel workers", crowd_workers },
	{ "owner-prefetch", "3 processes of 4 threads, asynchronous PREFETCH failing in kernel workers", crowd_prefetchers },
	{ 0 },
};
