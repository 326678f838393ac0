/* SPDX-License-Identifier: Apache-2.0 */
/* A swap file, made for a scenario, and memory put out to it. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

enum { FILE_PAGES = 1024 };

static void swap_off(void *object, size_t size)
{
	(void)size;
	swapoff(object);
	free(object);
}

/* What mkswap writes: a header in the first page, no label. */
static int format(int fd)
{
	static char page[4096];

	for (int i = 0; i < FILE_PAGES; i++) { /* no hole may be in it */
		memset(page, 0, sizeof(page));
		if (i == 0) {
			uint32_t header[] = { 1 /* version */, FILE_PAGES - 1, 0 /* bad pages */ };

			memcpy(page + 1024, header, sizeof(header));
			memcpy(page + sizeof(page) - 10, "SWAPSPACE2", 10);
		}
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return -1;
	}
	return fsync(fd);
}

void swap_out(struct run *run, struct memory *memory)
{
	int fd = make_file(run, options.disk, 0, false);
	char link[64], *path = calloc(1, 512);
	unsigned flags = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	must(run, format(fd), "write a swap file");
	if (readlink(link, path, 511) < 0 || swapon(path, 0) != 0)
		set_up_failed(run, "cannot swap on %s: %s", path, strerror(errno));
	undo_later(run, swap_off, path, 0);
	for (int i = 0; i < 20 && !(flags & PAGEMAP_SWAPPED); i++) {
		if (madvise(memory->base, memory->length, 21 /* MADV_PAGEOUT */) != 0)
			skip(run, "no MADV_PAGEOUT: %s", strerror(errno));
		usleep(50 * 1000);
		page_frame(run, memory->bad, &flags);
		/* A page just touched waits on a list of its CPU, where nobody takes it out: this empties those lists. */
		write_text("/proc/sys/vm/compact_memory", "1");
	}
	if (!(flags & PAGEMAP_SWAPPED))
		skip(run, "the kernel did not swap the page out");
}
