/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations without on-demand paging: the kernel pins every page at once. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <stdio.h>
#include <unistd.h>

static void pin(struct run *run, struct memory *memory, int expect)
{
	register_memory(run, memory->base, memory->length, PIN_ACCESS, expect, expect ? memory->bad : NULL);
}

static void pin_fsdax(struct run *run)
{
	struct memory memory;

	map_fsdax(run, &memory);
	memory.bad = memory.base;
	pin(run, &memory, EOPNOTSUPP);
}

/* Anonymous memory, then fsdax: the first page that the kernel refuses is in the middle of the range. */
static void pin_fsdax_middle(struct run *run)
{
	struct memory memory, file;

	map_anon(run, &memory);
	map_fsdax(run, &file);
	size_t rest = memory.base + memory.length - memory.bad;
	if (mmap(memory.bad, rest, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED, file.fd, 0) == MAP_FAILED)
		set_up_failed(run, "cannot map fsdax over anonymous memory: %s", strerror(errno));
	fill(memory.bad, rest);
	pin(run, &memory, EOPNOTSUPP);
}

static void pin_protnone(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	if (mprotect(memory.bad, PAGE, PROT_NONE) != 0)
		set_up_failed(run, "cannot protect a page: %s", strerror(errno));
	pin(run, &memory, EFAULT);
}

static void pin_hole(struct run *run)
{
	struct memory memory;

	open_device(run); /* before the hole is made: nothing may be mapped into it */
	map_anon(run, &memory);
	if (munmap(memory.bad, PAGE) != 0)
		set_up_failed(run, "cannot unmap a page: %s", strerror(errno));
	pin(run, &memory, EFAULT);
}

static void pin_readonly(struct run *run)
{
	struct memory memory;

	map_tmpfs_readonly(run, &memory);
	pin(run, &memory, EFAULT);
}

static void pin_device(struct run *run)
{
	struct memory memory;

	map_device(run, &memory);
	pin(run, &memory, EFAULT);
}

static void pin_special(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	map_special_over(run, &memory);
	pin(run, &memory, EEXIST);
}

/* Long-term write pins of file pages that need dirty tracking are refused since Linux 6.5 or so; measured: not 6.1, but 6.12. */
static void pin_disk(struct run *run)
{
	struct memory memory;
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	map_disk(run, &memory);
	pin(run, &memory, major > 6 || (major == 6 && minor >= 5) ? EFAULT : 0);
}

static void limit_locked_memory(struct run *run, size_t bytes)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct rlimit limit = {bytes, bytes};

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
		struct run inner = {.scenario = run->scenario, .bad_index = run->bad_index};

		limited = (struct limited){bytes, expect};
		_exit(run_scenario(&inner, pin_limited));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 3)
		set_up_failed(run, "the child process failed");
	if (WEXITSTATUS(status) != 0)
		run->surprised = true;
}

static void pin_memlock(struct run *run)
{
	in_limited_child(run, PAGES(8), ENOMEM);
}

static void pin_memlock_zero(struct run *run)
{
	in_limited_child(run, 0, EPERM);
}

const struct scenario pin_scenarios[] = {
	{"pin-fsdax", "pinned fsdax", pin_fsdax},
	{"pin-fsdax-middle", "pinned: anonymous memory, then fsdax", pin_fsdax_middle},
	{"pin-protnone", "pinned: a page in the middle is PROT_NONE", pin_protnone},
	{"pin-hole", "pinned: a page in the middle is unmapped", pin_hole},
	{"pin-readonly", "pinned for writing: a shared file mapped PROT_READ", pin_readonly},
	{"pin-device", "pinned PCI BAR", pin_device},
	{"pin-special", "pinned: anonymous memory, then pages without struct page (fsdax-2021)", pin_special},
	{"pin-disk", "pinned for writing: a shared file of a disk file system", pin_disk},
	{"pin-memlock", "pinned over RLIMIT_MEMLOCK without CAP_IPC_LOCK", pin_memlock},
	{"pin-memlock-zero", "pinned with RLIMIT_MEMLOCK 0 without CAP_IPC_LOCK", pin_memlock_zero},
	{0},
};
