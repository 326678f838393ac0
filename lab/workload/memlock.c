/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned registrations against RLIMIT_MEMLOCK. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void limit_locked_memory(struct run *run, size_t bytes)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct rlimit limit = { bytes, bytes };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		set_up_failed(run, "cannot set RLIMIT_MEMLOCK: %s", strerror(errno));
	if (syscall(SYS_capget, &header, data) != 0)
		set_up_failed(run, "cannot read capabilities: %s", strerror(errno));
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].permitted &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	if (syscall(SYS_capset, &header, data) != 0)
		set_up_failed(run, "cannot drop CAP_IPC_LOCK: %s", strerror(errno));
}

struct limited {
	size_t bytes;
	int expect;
};
static __thread struct limited limited;

static void pin_limited(struct run *run)
{
	struct memory memory;

	limit_locked_memory(run, limited.bytes);
	map_anon(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, limited.expect, NULL);
}

/* In a child: a limit and a capability given up do not come back. The device must be opened after that, as a
 * container would: the kernel refuses to serve a file opened with other credentials. */
static void in_limited_child(struct run *run, size_t bytes, int expect)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		set_up_failed(run, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		struct run inner = { .scenario = run->scenario, .bad_index = run->bad_index };

		limited = (struct limited){ bytes, expect };
		_exit(run_scenario(&inner, pin_limited));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child process failed");
	if (WEXITSTATUS(status) != 0)
		run->surprised = true;
}

void pin_over_limit(struct run *run)
{
	struct memory memory;
	struct rlimit limit;

	must(run, getrlimit(RLIMIT_MEMLOCK, &limit), "read RLIMIT_MEMLOCK");
	map_anon(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, limit.rlim_cur ? ENOMEM : EPERM, NULL);
}

static void pin_memlock(struct run *run)
{
	in_limited_child(run, PAGES(8), ENOMEM);
}

static void pin_memlock_zero(struct run *run)
{
	in_limited_child(run, 0, EPERM);
}

const struct scenario memlock_scenarios[] = {
	{ "pin-memlock", "pinned over RLIMIT_MEMLOCK without CAP_IPC_LOCK", pin_memlock },
	{ "pin-memlock-zero", "pinned with RLIMIT_MEMLOCK 0 without CAP_IPC_LOCK", pin_memlock_zero },
	{ 0 },
};
