/* SPDX-License-Identifier: Apache-2.0 */
/* A sampling profiler as small as it can be: the kernel's call chain every so many instructions, as perf's own records.
 * They stay in memory until the end, so that it has no share in what it measures. */
#define _GNU_SOURCE
#include "probes.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE   4096ul
#define BUFFER (256ul << 20)

static void write_all(const char *path, const char *data, size_t size)
{
	int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	if (file < 0)
		fail(path);
	while (size > 0) {
		ssize_t written = write(file, data, size);

		if (written <= 0)
			fail(path);
		data += written;
		size -= written;
	}
	close(file);
}

void profile(unsigned long long period, const char *ready, const char *path)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
		.exclude_callchain_user = 1,
		.disabled = 1,
		.sample_max_stack = 48,
	};
	int event = syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0), signal = 0;
	struct perf_event_mmap_page *head;
	sigset_t set;

	if (event < 0)
		fail("perf_event_open");
	head = mmap(NULL, PAGE + BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (head == MAP_FAILED)
		fail("cannot map the samples");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	write_all(ready, "ready\n", 6);
	while (signal != SIGTERM) {
		sigwait(&set, &signal);
		ioctl(event, signal == SIGUSR1 ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	}
	/* Nobody moves data_tail: when the buffer is full, the kernel counts what it loses, and that is told below. */
	write_all(path, (char *)head + PAGE, head->data_head);
	if (head->data_head + PAGE > BUFFER)
		fail("the samples are more than there is room for");
}
