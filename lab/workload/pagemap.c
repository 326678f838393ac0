/* SPDX-License-Identifier: Apache-2.0 */
/* Where a page of this process is, as /proc/self/pagemap tells root. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

uint64_t page_frame(struct run *run, const void *address, unsigned *flags)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (uintptr_t)address / PAGE * sizeof(entry)) != sizeof(entry))
		set_up_failed(run, "cannot read /proc/self/pagemap: %s", strerror(errno));
	close(fd);
	*flags = (entry >> 63 ? PAGEMAP_PRESENT : 0) | (entry >> 62 & 1 ? PAGEMAP_SWAPPED : 0);
	return entry & ((1ULL << 55) - 1);
}
