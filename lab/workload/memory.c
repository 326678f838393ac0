/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of memory that needs no file system of the lab: anonymous and tmpfs. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void unmap(void *address, size_t length)
{
	munmap(address, length);
}

void close_fd(void *unused, size_t fd)
{
	(void)unused;
	close(fd);
}

void fill(void *address, size_t length)
{
	for (size_t i = 0; i < length; i += PAGE)
		((volatile char *)address)[i] = 1 + i / PAGE;
}

/* Mappings that must stay apart from what other threads of the process map are given a place. */
void *take_place(struct run *run, size_t length)
{
	char *place = run->place;

	if (place)
		run->place += (length + 2 * HUGE - 1) & ~(HUGE - 1);
	return place;
}

void map_memory(struct run *run, struct memory *memory, size_t length, int protection, int flags, int fd)
{
	void *place = take_place(run, length);
	void *address = mmap(place, length, protection, flags | (place ? MAP_FIXED_NOREPLACE : 0), fd, 0);

	if (address == MAP_FAILED)
		set_up_failed(run, "cannot map %zu bytes: %s", length, strerror(errno));
	undo_later(run, unmap, address, length);
	*memory = (struct memory){ .base = address, .length = length, .bad = (char *)address + PAGES(run->bad_index), .fd = fd };
}

void map_anon(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory->base, memory->length);
}

void map_anon_64(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(64), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory->base, memory->length);
}

void map_anon_untouched(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory->base, memory->bad - memory->base);
}

static int open_tmpfs(struct run *run, size_t size)
{
	int fd = memfd_create("workload", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size) != 0)
		set_up_failed(run, "cannot make a tmpfs file: %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	return fd;
}

void map_tmpfs(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, open_tmpfs(run, PAGES(16)));
	fill(memory->base, memory->length);
}

void map_tmpfs_readonly(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(16), PROT_READ, MAP_SHARED, open_tmpfs(run, PAGES(16)));
	memory->bad = memory->base;
}

void map_tmpfs_unsized(struct run *run, struct memory *memory)
{
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, open_tmpfs(run, 0));
	memory->bad = memory->base;
}
