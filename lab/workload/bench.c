/* SPDX-License-Identifier: Apache-2.0 */
/* Loops for measuring what tracing costs: one thing, many times, so many rounds; a line of JSON each round. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct bench_options bench_options = { .count = 100, .rounds = 5, .megabytes = 64, .regions = 1, .threads = 1 };

/* After the set-up: `iteration` as often as was asked for. */
typedef void (*iteration)(struct run *, void *);

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void rounds(struct run *run, iteration step, void *argument)
{
	unsigned long count = bench_options.count;

	for (unsigned round = 0; round < bench_options.rounds; round++) {
		uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID), begin = now(CLOCK_MONOTONIC);

		for (unsigned long i = 0; i < count; i++)
			step(run, argument);
		uint64_t end = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		printf("{\"bench\":\"%s\",\"round\":%u,\"count\":%lu,\"ns\":%.1f,\"cpu_ns\":%.1f}\n", run->scenario, round, count,
		       (double)(end - begin) / count, (double)cpu / count);
		fflush(stdout);
	}
}

static struct ibv_mr *mr_of(struct run *run, void *base, size_t length, int access)
{
	struct ibv_mr *mr = ibv_reg_mr(run->device->pd, base, length, access);

	if (!mr)
		set_up_failed(run, "cannot register %zu bytes: %s", length, strerror(errno));
	return mr;
}

/* (a) register 2 MiB of fsdax on demand, prefetch 256 KiB for writing, deregister */
static void odp_step(struct run *run, void *argument)
{
	struct memory *memory = argument;
	struct ibv_mr *mr = mr_of(run, memory->base, memory->length, ODP_ACCESS);
	int error = try_advice(run->device, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE, mr->lkey, memory->base, 256 << 10);

	if (error)
		set_up_failed(run, "the prefetch failed: %s", strerror(error));
	ibv_dereg_mr(mr);
}

static void drop_many(void *object, size_t count)
{
	struct ibv_mr **all = object;

	for (size_t i = 0; i < count; i++)
		ibv_dereg_mr(all[i]);
	free(all);
}

/* Registrations that are there all the time, beside what is measured. */
static void hold_regions(struct run *run)
{
	size_t count = bench_options.regions - 1;
	struct ibv_mr **all = calloc(count + 1, sizeof(*all));
	struct memory memory;

	map_anon(run, &memory);
	for (size_t i = 0; i < count; i++) {
		all[i] = mr_of(run, memory.base, PAGE, ODP_ACCESS);
		if (i + 1 == count)
			undo_later(run, drop_many, all, count);
	}
}

static void odp(struct run *run)
{
	struct memory memory;

	open_device(run);
	hold_regions(run);
	map_fsdax_2m(run, &memory);
	rounds(run, odp_step, &memory);
}

/* Many threads, each with its own memory, all at the same time; count is that of each. */
struct crowd {
	struct run *run;
	struct device *device;
	pthread_t thread;
	bool failed;
};

static void crowd_member(struct run *run)
{
	struct memory memory;

	map_memory(run, &memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory.base, memory.length);
	for (unsigned long i = 0; i < bench_options.count; i++)
		odp_step(run, &memory);
}

static void *crowd_thread(void *argument)
{
	struct crowd *self = argument;
	struct run run = { .scenario = self->run->scenario, .device = self->device };

	self->failed = run_scenario(&run, crowd_member) != 0;
	return NULL;
}

static void crowd_step(struct run *run, void *argument)
{
	struct crowd *members = argument;

	for (unsigned i = 0; i < bench_options.threads; i++) {
		members[i] = (struct crowd){ .run = run, .device = run->device };
		if (pthread_create(&members[i].thread, NULL, crowd_thread, &members[i]) != 0)
			set_up_failed(run, "cannot start a thread");
	}
	for (unsigned i = 0; i < bench_options.threads; i++)
		pthread_join(members[i].thread, NULL);
	for (unsigned i = 0; i < bench_options.threads; i++)
		if (members[i].failed)
			set_up_failed(run, "a thread failed");
}

static void threads(struct run *run)
{
	struct crowd *members = calloc(bench_options.threads, sizeof(*members));
	unsigned long count = bench_options.count;

	open_device(run);
	for (unsigned round = 0; round < bench_options.rounds; round++) {
		uint64_t begin = now(CLOCK_MONOTONIC);

		crowd_step(run, members);
		printf("{\"bench\":\"%s\",\"round\":%u,\"count\":%lu,\"ns\":%.1f}\n", run->scenario, round,
		       count * bench_options.threads,
		       (double)(now(CLOCK_MONOTONIC) - begin) / (double)(count * bench_options.threads));
		fflush(stdout);
	}
	free(members);
}

/* (b) RDMA WRITE over 16 pages that are not there */
struct cold {
	struct memory memory;
	struct ibv_mr *mr;
	struct ibv_comp_channel *channel;
};

static void write_step(struct run *run, void *argument)
{
	struct cold *cold = argument;
	struct pair *pair = &run->pair;
	struct ibv_sge source = { .addr = (uintptr_t)pair->buffer, .length = cold->memory.length, .lkey = pair->source->lkey };
	struct ibv_send_wr *rejected, request = { .sg_list = &source, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .send_flags = IBV_SEND_SIGNALED, .wr.rdma = { .remote_addr = (uintptr_t)cold->memory.base, .rkey = cold->mr->rkey } };
	struct ibv_wc completion;
	int count = 0;

	if (madvise(cold->memory.base, cold->memory.length, MADV_DONTNEED) != 0 ||
	    ibv_post_send(pair->qp[0], &request, &rejected) != 0)
		set_up_failed(run, "cannot post an RDMA WRITE: %s", strerror(errno));
	while (count == 0) { /* the CPU goes to the kernel's workers, which do it */
		sched_yield();
		count = ibv_poll_cq(pair->cq, 1, &completion);
	}
	if (count < 0 || completion.status != IBV_WC_SUCCESS)
		set_up_failed(run, "the RDMA WRITE failed: %s", ibv_wc_status_str(completion.status));
}

static void write_cold(struct run *run)
{
	struct cold cold = { 0 };

	open_device(run);
	if (!run->device->odp_write)
		skip(run, "this device has no page faults for RDMA WRITE");
	map_memory(run, &cold.memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	build_pair(run, cold.memory.length);
	cold.mr = mr_of(run, cold.memory.base, cold.memory.length, ODP_ACCESS);
	rounds(run, write_step, &cold);
	ibv_dereg_mr(cold.mr);
}

/* (c), (d) register and deregister memory that is there, pinned or on demand */
struct block {
	struct memory memory;
	int access;
};

static void register_step(struct run *run, void *argument)
{
	struct block *block = argument;

	ibv_dereg_mr(mr_of(run, block->memory.base, block->memory.length, block->access));
}

static void register_block(struct run *run, int access)
{
	struct block block = { .access = access };

	open_device(run);
	map_memory(run, &block.memory, bench_options.megabytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(block.memory.base, block.memory.length, MADV_NOHUGEPAGE), "ask for small pages");
	fill(block.memory.base, block.memory.length);
	rounds(run, register_step, &block);
}

static void pin(struct run *run)
{
	register_block(run, PIN_ACCESS);
}

static void large(struct run *run)
{
	register_block(run, ODP_ACCESS);
}

/* (e) a prefetch of 256 KiB with a hole in the middle */
struct holed {
	struct memory memory;
	struct ibv_mr *mr;
};

static void fail_step(struct run *run, void *argument)
{
	struct holed *holed = argument;
	int error = try_advice(run->device, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE, holed->mr->lkey, holed->memory.base,
			       holed->memory.length);

	if (error != EFAULT)
		set_up_failed(run, "the prefetch over a hole ended with %d", error);
}

static void fail(struct run *run)
{
	struct holed holed;

	open_device(run);
	map_anon_64(run, &holed.memory);
	holed.mr = mr_of(run, holed.memory.base, holed.memory.length, ODP_ACCESS);
	must(run, munmap(holed.memory.base + PAGES(32), PAGE), "unmap a page");
	rounds(run, fail_step, &holed);
	ibv_dereg_mr(holed.mr);
}

static const struct scenario benches[] = {
	{ "odp", "(a) register 2 MiB of fsdax on demand, prefetch 256 KiB, deregister; beside --regions", odp },
	{ "threads", "the same with anonymous memory by --threads threads at once", threads },
	{ "write", "(b) RDMA WRITE over 16 cold pages", write_cold },
	{ "pin", "(c) register --megabytes pinned, deregister", pin },
	{ "large", "(d) register --megabytes of 4 KiB pages on demand, deregister", large },
	{ "fail", "(e) a prefetch of 256 KiB that fails", fail },
	{ 0 },
};

static const struct scenario *bench_named(const char *name)
{
	const struct scenario *const lists[] = { benches, unrelated_benches };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct scenario *it = lists[i]; it->name; it++)
			if (strcmp(it->name, name) == 0)
				return it;
	return NULL;
}

void bench_rounds(struct run *run, void (*step)(struct run *, void *), void *argument)
{
	rounds(run, step, argument);
}

int run_bench(const char *name)
{
	const struct scenario *scenario = bench_named(name);
	struct run run = { .scenario = name, .bad_index = 8 };

	if (!scenario) {
		fprintf(stderr, "workload: there is nothing to measure named '%s'\n", name);
		return 2;
	}
	return run_scenario(&run, scenario->run);
}
