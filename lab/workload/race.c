/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that changes while it is prefetched: invalidated without an end, or moved by the kernel. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	THREADS = 4,
	ROUNDS = 5,
	STORM_PAGES = 32768,
};

struct racer {
	void (*turn)(struct racer *);
	struct memory memory;
	pthread_t threads[THREADS];
	unsigned count, next;
	_Atomic bool stop;
};

static void *race(void *argument)
{
	struct racer *racer = argument;

	while (!racer->stop)
		racer->turn(racer);
	return NULL;
}

static void stop(void *object, size_t size)
{
	struct racer *racer = object;

	(void)size;
	racer->stop = true;
	while (racer->count > 0)
		pthread_join(racer->threads[--racer->count], NULL);
	free(racer);
}

static void start(struct run *run, void (*turn)(struct racer *), const struct memory *memory, unsigned count)
{
	struct racer *racer = calloc(1, sizeof(*racer));

	racer->turn = turn;
	racer->memory = *memory;
	undo_later(run, stop, racer, 0);
	while (racer->count < count) {
		if (pthread_create(&racer->threads[racer->count], NULL, race, racer) != 0)
			set_up_failed(run, "cannot start a thread");
		racer->count++;
	}
}

/* Every call invalidates what the device has mapped; the memory stays readable and writable throughout. Emptying pages
 * goes on beside a page fault, while a change of protection waits for its end. */
static void invalidate(struct racer *racer)
{
	char *page = racer->memory.base + PAGES(rand() % STORM_PAGES);

	madvise(page, PAGE, MADV_DONTNEED);
	if (rand() % 64 == 0) {
		mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	}
}

/* Success and EBUSY are both right, and nothing tells beforehand which will come. */
static void storm(struct run *run)
{
	struct memory memory;

	map_memory(run, &memory, PAGES(STORM_PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(memory.base, memory.length, MADV_NOHUGEPAGE), "ask for small pages");
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		return;
	start(run, invalidate, &memory, THREADS);
	for (int i = 0; i < ROUNDS; i++) {
		/* Reading maps the zero page everywhere, so that writing needs a fault for each page, which takes long. */
		must(run, madvise(memory.base, memory.length, MADV_DONTNEED), "empty the range");
		int error = try_advice(run->device, 0 /* PREFETCH */, mr->lkey, memory.base, memory.length);
		print_advice(run, memory.base, memory.length, error, error == EBUSY ? EBUSY : 0);
		error = try_advice(run->device, 1 /* PREFETCH_WRITE */, mr->lkey, memory.base, memory.length);
		print_advice(run, memory.base, memory.length, error, error == EBUSY ? EBUSY : 0);
	}
}

enum { MOVED_PAGES = 64 };

/* Taking a page's memory out of use moves what is on it. The frames are lost to the machine, so it is done once each. */
static void move(struct racer *racer)
{
	if (racer->next < MOVED_PAGES)
		madvise(racer->memory.base + PAGES(racer->next++), PAGE, 101 /* MADV_SOFT_OFFLINE */);
	usleep(1000);
}

static void migrating(struct run *run)
{
	uint64_t frames[MOVED_PAGES];
	struct memory memory;
	unsigned flags, moved = 0;

	map_anon_64(run, &memory);
	for (int i = 0; i < MOVED_PAGES; i++)
		frames[i] = page_frame(run, memory.base + PAGES(i), &flags);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		return;
	start(run, move, &memory, 1);
	for (int i = 0; i < ROUNDS; i++) {
		advise(run, mr->lkey, i % 2 ? PREFETCH_WRITE : PREFETCH, memory.base, memory.length, 0, NULL);
		usleep(20 * 1000);
	}
	for (int i = 0; i < MOVED_PAGES; i++)
		moved += page_frame(run, memory.base + PAGES(i), &flags) != frames[i];
	if (moved == 0)
		skip(run, "the kernel moved no page of the MR, so what was to be seen was not");
}

const struct scenario race_scenarios[] = {
	{ "storm-w", "PREFETCH_WRITE while other threads invalidate the range without an end", storm },
	{ "migrating-p", "PREFETCH while the kernel moves the pages", migrating },
	{ 0 },
};
