// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CPrivileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How this process was started: written once, before main(). libbpf raises the limit unasked. */
static struct {
	struct rlimit memlock;
	int niceness;
} at_start;

__attribute__((constructor)) static void remember_start(void)
{
	getrlimit(RLIMIT_MEMLOCK, &at_start.memlock);
	at_start.niceness = getpriority(PRIO_PROCESS, 0);
}

static struct __user_cap_header_struct this_thread(void)
{
	return (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
}

int cprivileges_get(uint64_t *effective, uint64_t *permitted)
{
	struct __user_cap_header_struct header = this_thread();
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return -errno;
	*effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	*permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

int cprivileges_set(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = this_thread();
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)effective, .permitted = (uint32_t)permitted },
		{ .effective = effective >> 32, .permitted = permitted >> 32 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

void cprivileges_bound(uint64_t keep)
{
	int capability;

	for (capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (!(keep >> capability & 1))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int cprivileges_no_new(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int cprivileges_not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

struct cprivileges_limit cprivileges_memlock(void)
{
	return (struct cprivileges_limit){ at_start.memlock.rlim_cur, at_start.memlock.rlim_max };
}

void cprivileges_restore_memlock(void)
{
	setrlimit(RLIMIT_MEMLOCK, &at_start.memlock);
}

void cprivileges_raise_priority(void)
{
	setpriority(PRIO_PROCESS, 0, -20);
}

void cprivileges_restore_priority(void)
{
	if (getpriority(PRIO_PROCESS, 0) != at_start.niceness)
		setpriority(PRIO_PROCESS, 0, at_start.niceness);
}
