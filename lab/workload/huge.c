/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of memory in huge pages: a hugetlb pool made for the scenario, an empty one, a transparent huge page. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const char pool[] = "/proc/sys/vm/nr_hugepages";

static void empty_pool(void *unused, size_t size)
{
	(void)unused;
	(void)size;
	write_text(pool, "0");
}

static int pool_size(void)
{
	FILE *file = fopen(pool, "r");
	int count = -1;

	if (file) {
		if (fscanf(file, "%d", &count) != 1)
			count = -1;
		fclose(file);
	}
	return count;
}

void fill_pool(struct run *run, int pages)
{
	char text[16];

	undo_later(run, empty_pool, NULL, 0);
	snprintf(text, sizeof(text), "%d", pages);
	if (!write_text(pool, text))
		set_up_failed(run, "cannot write %s: %s", pool, strerror(errno));
	if (pool_size() < pages)
		skip(run, "the kernel found no %d free huge pages", pages);
}

void map_hugetlb(struct run *run, struct memory *memory)
{
	fill_pool(run, 2);
	map_memory(run, memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	fill(memory->base, memory->length);
	memory->bad = memory->base;
}

/* The machine has no huge pages reserved, and MAP_NORESERVE lets the mapping be made all the same. */
void map_hugetlb_unbacked(struct run *run, struct memory *memory)
{
	map_memory(run, memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1);
	memory->bad = memory->base;
}

void map_thp(struct run *run, struct memory *memory)
{
	map_memory(run, memory, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	memory->base = (char *)(((uintptr_t)memory->base + HUGE - 1) & ~(HUGE - 1));
	memory->length = HUGE;
	memory->bad = memory->base + PAGES(run->bad_index);
	if (madvise(memory->base, HUGE, MADV_HUGEPAGE) != 0)
		skip(run, "no transparent huge pages: %s", strerror(errno));
	if (!touch_with_one_fault(memory->base))
		skip(run, "the kernel found no free huge page");
}
