/* SPDX-License-Identifier: Apache-2.0 */
/* A storm: every thread of this process fails without pause, in an order of its own. Some of what fails is made anew each
 * time, by the scenarios that are named; some stands from the beginning, and is tried again and again, between the others'
 * tries as well, so that a thread's consecutive operations are of different kinds. Lines are kept until the end, and named
 * storm:SCENARIO, so each can be looked up by its second part. Threads share the device's descriptor, and have protection
 * domains and a part of the address space each: a hole that one makes is not filled by another. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Far below where the kernel maps by itself, which is downwards from the stack. */
#define FIRST_PLACE 0x100000000000UL
#define PLACE_SIZE  (64UL << 20)
enum {
	MOST_THREADS = 64,
	MOST_TRIES = 4,
	PLACES = 32,
	MOVING_PLACES = 4,
	MOST_STANDING = 16,
};

struct storm_options storm_options = { .threads = 4, .gust = 4, .locked_bytes = -1 };

struct standing {
	char label[64];
	struct spoiled it;
};

struct wind { /* a thread */
	pthread_t thread;
	struct device device;
	struct text lines;
	char *places; /* the first few are for what is made anew, the others for what stands */
	unsigned random, standing_count;
	bool is_ready;
	int status;
	char *healthy;
	struct ibv_mr *mr, *foreign, *readonly;
	struct standing standing[MOST_STANDING];
};

enum { HEALTHY = PAGES(16) };
static char **names;
static int count;
static time_t end;
static pthread_barrier_t ready; /* all that stands is there */
static _Thread_local struct wind *self;

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static unsigned dice(unsigned sides)
{
	return rand_r(&self->random) % sides;
}

/* What is wrong by itself needs no memory of its own. */
enum plain {
	NOTHING_WRONG,
	BEYOND,
	BEFORE,
	NO_BYTE,
	BAD_KEY,
	FOREIGN,
	READ_ONLY,
	ODP_ZERO,
	PIN_ZERO,
	WRAPS,
	REMOTE_ALONE,
	UNKNOWN_FLAG,
	PLAINS,
};

static void fail_plainly(enum plain plain)
{
	static const char *const labels[PLAINS] = { "storm:ok-anon", "storm:range-beyond-p", "storm:range-before-p", "storm:length-zero-p",
						    "storm:lkey-bad-p", "storm:lkey-foreign-p", "storm:mr-readonly-w", "storm:reg-zero", "storm:pin-zero", "storm:pin-wraps",
						    "storm:reg-access-bad", "storm:reg-access-unknown" };
	struct run run = { .scenario = labels[plain], .device = &self->device, .later = &self->lines, .hurried = true };
	char *base = self->healthy;
	size_t half = HEALTHY / 2;
	uint32_t key = self->mr->lkey;

	switch (plain) {
	case NOTHING_WRONG: advise(&run, key, dice(2) ? PREFETCH : PREFETCH_WRITE, base, half, 0, NULL); break;
	case BEYOND: advise(&run, key, PREFETCH, base + half, HEALTHY, EFAULT, NULL); break;
	case BEFORE: advise(&run, key, PREFETCH, base - PAGE, half, EFAULT, NULL); break;
	case NO_BYTE: advise(&run, key, PREFETCH, base + PAGE, 0, EINVAL, NULL); break;
	case BAD_KEY: advise(&run, key ^ 0x550000, PREFETCH, base, half, EINVAL, NULL); break;
	case FOREIGN: advise(&run, self->foreign->lkey, PREFETCH, base, half, EINVAL, NULL); break;
	case READ_ONLY: advise(&run, self->readonly->lkey, PREFETCH_WRITE, base, half, EINVAL, NULL); break;
	case ODP_ZERO: register_memory(&run, base, 0, ODP_ACCESS, EINVAL, NULL); break;
	case PIN_ZERO: register_memory(&run, base, 0, PIN_ACCESS, EINVAL, NULL); break;
	case WRAPS: register_memory(&run, base, SIZE_MAX - PAGES(4), PIN_ACCESS, EINVAL, NULL); break;
	case REMOTE_ALONE: register_memory(&run, base, half, IBV_ACCESS_REMOTE_WRITE, EINVAL, NULL); break;
	case UNKNOWN_FLAG: register_memory(&run, base, half, PIN_ACCESS | 1 << 14, EINVAL, NULL); break;
	case PLAINS: break;
	}
	if (run.surprised)
		self->status = 1;
}

static void fail_standing(const struct standing *one)
{
	struct run run = { .scenario = one->label, .device = &self->device, .later = &self->lines, .hurried = true };
	const struct memory *memory = &one->it.memory;

	advise(&run, one->it.mr->lkey, one->it.way, memory->base, memory->length, one->it.error, one->it.error ? memory->bad : NULL);
	if (run.surprised)
		self->status = 1;
}

static void gust(unsigned most)
{
	for (unsigned left = self->mr ? dice(most + 1) : 0; left > 0; left--) {
		unsigned which = dice(PLAINS + self->standing_count);

		if (which < PLAINS && storm_options.locked_bytes == 0 && (which == PIN_ZERO || which == WRAPS))
			which = NOTHING_WRONG; /* a pin is refused before its length is looked at */
		if (which < PLAINS)
			fail_plainly(which);
		else
			fail_standing(&self->standing[which - PLAINS]);
	}
}

static void between(struct run *run)
{
	(void)run;
	gust(2);
}

static void run_one(const char *name, unsigned number)
{
	char label[64];
	bool limited = strncmp(name, "pin-memlock", strlen("pin-memlock")) == 0;
	struct run run = { .scenario = label, .bad_index = 3 + dice(10), .device = &self->device, .place = self->places + number % MOVING_PLACES * PLACE_SIZE, .times = 1 + dice(MOST_TRIES), .between = between, .hurried = true, .later = &self->lines };

	snprintf(label, sizeof(label), "storm:%s", name);
	int status = run_scenario(&run, limited ? pin_over_limit : find_scenario(name));
	if (status > self->status)
		self->status = status;
}

/* On-demand memory of some of the scenarios, each spoiled for good. What cannot be had here is left out. */
static void make_standing(struct run *run)
{
	jmp_buf outer;

	memcpy(&outer, &run->abandon, sizeof(outer));
	for (volatile int i = 0; i < count && self->standing_count < MOST_STANDING; i++) {
		struct standing *one = &self->standing[self->standing_count];
		const char *way = strrchr(names[i], '-');

		/* making files takes long; one thread's will do */
		unsigned chance = strstr(names[i], "fsdax") || strstr(names[i], "disk") ? 8 : 2;
		if (!is_spoiled(names[i]) || !way || !strchr("pw", way[1]) || dice(chance))
			continue;
		snprintf(one->label, sizeof(one->label), "storm:%s", names[i]);
		run->scenario = one->label;
		run->bad_index = 3 + dice(10);
		if (setjmp(run->abandon) == 0 && prepare_spoiled(run, names[i], &one->it) && one->it.mr)
			self->standing_count++;
	}
	memcpy(&run->abandon, &outer, sizeof(outer));
	run->scenario = "storm:ok-anon";
}

static void make_healthy(struct run *run)
{
	struct ibv_pd *ours = self->device.pd, *other = ibv_alloc_pd(self->device.context);
	struct memory memory;

	if (!other)
		set_up_failed(run, "cannot allocate a protection domain: %s", strerror(errno));
	undo_later(run, drop_pd, other, 0);
	map_anon_64(run, &memory);
	self->healthy = memory.base + PAGES(8);
	self->readonly = register_memory(run, self->healthy, HEALTHY, IBV_ACCESS_ON_DEMAND, 0, NULL);
	self->device.pd = other;
	self->foreign = register_memory(run, self->healthy, HEALTHY, ODP_ACCESS, 0, NULL);
	self->device.pd = ours;
	struct ibv_mr *mr = register_memory(run, self->healthy, HEALTHY, ODP_ACCESS, 0, NULL);
	if (self->readonly && self->foreign)
		self->mr = mr;
}

static void wait_for_all(void)
{
	if (!self->is_ready)
		pthread_barrier_wait(&ready);
	self->is_ready = true;
}

static void whole_thread(struct run *run)
{
	int order[count];

	self->device.pd = ibv_alloc_pd(self->device.context);
	if (!self->device.pd)
		set_up_failed(run, "cannot allocate a protection domain: %s", strerror(errno));
	undo_later(run, drop_pd, self->device.pd, 0);
	if (self->device.odp_write) {
		make_healthy(run);
		make_standing(run);
	}
	wait_for_all();
	for (int i = 0; i < count; i++)
		order[i] = i;
	for (unsigned number = 0; now() < end;) {
		for (int i = count - 1; i > 0; i--) { /* each once, in another order */
			int other = dice(i + 1), taken = order[i];

			order[i] = order[other];
			order[other] = taken;
		}
		for (int i = 0; i < count && now() < end; i++) {
			run_one(names[order[i]], number++);
			gust(storm_options.gust);
		}
	}
}

static void *blow(void *argument)
{
	self = argument;
	struct run run = { .scenario = "storm:ok-anon", .device = &self->device, .later = &self->lines, .hurried = true, .place = self->places + MOVING_PLACES * PLACE_SIZE };

	int status = run_scenario(&run, whole_thread);
	wait_for_all(); /* also where the set-up failed */
	if (status > self->status)
		self->status = status;
	return NULL;
}

static void whole(struct run *run)
{
	static struct wind winds[MOST_THREADS];
	unsigned threads = storm_options.threads;

	if (threads > MOST_THREADS)
		set_up_failed(run, "at most %d threads", MOST_THREADS);
	if (storm_options.locked_bytes >= 0)
		limit_locked_memory(run, storm_options.locked_bytes);
	if (storm_options.user) {
		must(run, setgroups(0, NULL), "give up groups");
		must(run, setgid(storm_options.user), "become another group");
		must(run, setuid(storm_options.user), "become another user");
	}
	open_device(run);
	pthread_barrier_init(&ready, NULL, threads + 1);
	for (unsigned i = 0; i < threads; i++) {
		winds[i] = (struct wind){ .device = *run->device, .places = (char *)FIRST_PLACE + i * PLACES * PLACE_SIZE, .random = getpid() * MOST_THREADS + i };
		must(run, -pthread_create(&winds[i].thread, NULL, blow, &winds[i]), "start a thread");
	}
	end = now() + 3600;
	pthread_barrier_wait(&ready);
	end = now() + storm_options.seconds;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(winds[i].thread, NULL);
		write_text_out(&winds[i].lines);
		if (winds[i].status)
			run->surprised = true;
	}
}

int run_storm(char **wanted, int number)
{
	struct run run = { .scenario = "storm" };

	names = wanted;
	count = number;
	return run_scenario(&run, whole);
}
