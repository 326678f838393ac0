/* SPDX-License-Identifier: Apache-2.0 */
/* Measured as well: what has nothing to do with RDMA, and so must not pay for tracing it. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* (f) anonymous page faults, one an iteration; what is mapped goes when all of it has been touched */
static void fault_step(struct run *run, void *argument)
{
	static size_t next;
	struct memory *memory = argument;

	if (next == memory->length) {
		must(run, madvise(memory->base, memory->length, MADV_DONTNEED), "give pages back");
		next = 0;
	}
	((volatile char *)memory->base)[next] = 1;
	next += PAGE;
}

static void fault(struct run *run)
{
	struct memory memory;

	map_memory(run, &memory, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(memory.base, memory.length, MADV_NOHUGEPAGE), "ask for small pages");
	bench_rounds(run, fault_step, &memory);
}

/* O_DIRECT from the persistent memory's block device: pins a page, and waits for no other machine's time */
struct direct {
	struct memory memory;
	int fd;
};

static void read_step(struct run *run, void *argument)
{
	struct direct *direct = argument;

	if (pread(direct->fd, direct->memory.base, PAGE, PAGES(16)) != (ssize_t)PAGE)
		set_up_failed(run, "cannot read the device: %s", strerror(errno));
}

static void direct_read(struct run *run)
{
	struct direct direct;

	map_anon(run, &direct.memory);
	direct.fd = open("/dev/pmem0", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (direct.fd < 0)
		set_up_failed(run, "cannot open /dev/pmem0: %s", strerror(errno));
	undo_later(run, close_fd, NULL, direct.fd);
	bench_rounds(run, read_step, &direct);
}

static void wait_for(struct run *run, pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		set_up_failed(run, "a child failed");
}

static void fork_step(struct run *run, void *argument)
{
	(void)argument;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	wait_for(run, child);
}

static void exec_step(struct run *run, void *argument)
{
	(void)argument;
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/busybox", "true", (char *)NULL);
		_exit(1);
	}
	wait_for(run, child);
}

static void fork_exit(struct run *run)
{
	bench_rounds(run, fork_step, NULL);
}

static void exec_exit(struct run *run)
{
	bench_rounds(run, exec_step, NULL);
}

const struct scenario unrelated_benches[] = {
	{ "fault", "(f) an anonymous page fault", fault },
	{ "read", "(f) O_DIRECT read of 4 KiB from the persistent memory's block device", direct_read },
	{ "fork", "(f) fork and exit", fork_exit },
	{ "exec", "(f) exec and exit", exec_exit },
	{ 0 },
};
