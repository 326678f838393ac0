// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void cprocess_release_memory(void)
{
	extern char __executable_start, etext;
	unsigned long page = sysconf(_SC_PAGESIZE);
	unsigned long begin = (unsigned long)&__executable_start & ~(page - 1);
	unsigned long end = (unsigned long)&etext & ~(page - 1);

	/* what libbpf grows piece by piece grows in place, and is given back when it is freed */
	mallopt(M_MMAP_THRESHOLD, 16 * 1024);
	malloc_trim(0);
	/* code too: what is still needed comes back from the page cache */
	madvise((void *)begin, end - begin, MADV_DONTNEED);
}

int cprocess_thread_exists(pid_t process, pid_t thread)
{
	return !syscall(SYS_tgkill, process, thread, 0) || errno != ESRCH;
}
