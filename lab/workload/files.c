/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of memory mapped from files: on a DAX file system with MAP_SYNC, and on an ordinary disk. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void remove_file(void *object, size_t fd)
{
	close(fd);
	unlink(object);
	free(object);
}

int make_file(struct run *run, const char *directory, size_t size, bool allocate)
{
	static _Thread_local unsigned number;
	char *path;

	if (asprintf(&path, "%s/%s.%d.%u", directory, run->scenario, gettid(), number++) < 0)
		set_up_failed(run, "out of memory");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		set_up_failed(run, "cannot create %s: %s", path, strerror(errno));
	undo_later(run, remove_file, path, fd);
	if (size && (allocate ? fallocate(fd, 0, 0, size) : ftruncate(fd, size)) != 0)
		set_up_failed(run, "cannot give %s %zu bytes: %s", path, size, strerror(errno));
	return fd;
}

static void map_dax(struct run *run, struct memory *memory, void *wanted, size_t length, int fd, off_t offset)
{
	if (!wanted)
		wanted = take_place(run, length);
	void *address = mmap(wanted, length, PROT_READ | PROT_WRITE,
			     MAP_SHARED_VALIDATE | MAP_SYNC | (wanted ? MAP_FIXED : 0), fd, offset);

	if (address == MAP_FAILED)
		set_up_failed(run, "cannot map a file of %s with MAP_SYNC (is it mounted with -o dax?): %s", options.fs,
			      strerror(errno));
	undo_later(run, unmap, address, length);
	*memory = (struct memory){ .base = address, .length = length, .bad = (char *)address + PAGES(run->bad_index), .fd = fd };
}

/* A file this small is mapped by 4 KiB entries: no 2 MiB of it fits the mapping. */
void map_fsdax(struct run *run, struct memory *memory)
{
	map_dax(run, memory, NULL, PAGES(16), make_file(run, options.fs, PAGES(16), true), 0);
	fill(memory->base, memory->length);
}

void map_fsdax_sparse(struct run *run, struct memory *memory)
{
	map_dax(run, memory, NULL, PAGES(16), make_file(run, options.fs, PAGES(16), false), 0);
	for (char *page = memory->base; page < memory->bad; page += PAGE)
		(void)*(volatile char *)page; /* a hole: the kernel maps the zero page, whose entry is special too */
	fill(memory->bad, memory->base + memory->length - memory->bad);
}

void map_fsdax_half(struct run *run, struct memory *memory)
{
	map_dax(run, memory, NULL, PAGES(16), make_file(run, options.fs, PAGES(16), true), 0);
	fill(memory->base, memory->bad - memory->base);
}

void map_fsdax_hole(struct run *run, struct memory *memory)
{
	map_dax(run, memory, NULL, PAGES(16), make_file(run, options.fs, PAGES(16), false), 0);
	fill(memory->base, memory->bad - memory->base);
}

void map_fsdax_unsized(struct run *run, struct memory *memory)
{
	map_dax(run, memory, NULL, PAGES(16), make_file(run, options.fs, 0, false), 0);
	memory->bad = memory->base;
}

/* No file tells on every kernel how DAX is mapped, but faults can be counted: one for 2 MiB, or one for each page. */
bool touch_with_one_fault(char *base)
{
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &before);
	fill(base, HUGE);
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt < 64;
}

void map_fsdax_2m(struct run *run, struct memory *memory)
{
	int fd = make_file(run, options.fs, 8 * HUGE, true);
	char *room = mmap(NULL, 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		set_up_failed(run, "cannot reserve address space: %s", strerror(errno));
	undo_later(run, unmap, room, 2 * HUGE);
	char *aligned = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
	for (int i = 0; i < 8; i++) { /* whichever 2 MiB of the file the file system has laid out on 2 MiB of the device */
		map_dax(run, memory, aligned, HUGE, fd, (off_t)(i * HUGE));
		if (touch_with_one_fault(memory->base))
			return;
	}
	set_up_failed(run, "no 2 MiB of a 16 MiB file on %s is mapped by one entry: make the file system with 2 MiB stripes",
		      options.fs);
}

static void map_shared(struct run *run, struct memory *memory, int fd)
{
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
}

void map_disk(struct run *run, struct memory *memory)
{
	map_shared(run, memory, make_file(run, options.disk, PAGES(16), true));
	fill(memory->base, memory->length);
}

void map_disk_unsized(struct run *run, struct memory *memory)
{
	map_shared(run, memory, make_file(run, options.disk, 0, false));
	memory->bad = memory->base;
}

void map_disk_hole(struct run *run, struct memory *memory)
{
	map_shared(run, memory, make_file(run, options.disk, PAGES(16), false));
	fill(memory->base, memory->bad - memory->base);
	must(run, msync(memory->base, memory->length, MS_SYNC), "write pages to the disk");
}

/* Until not even one block is left. The file goes with the scenario. */
void fill_file_system(struct run *run, const char *directory)
{
	int fd = make_file(run, directory, 0, false);
	off_t end = 0;

	for (size_t step = 256UL << 20; step >= PAGE;) {
		if (fallocate(fd, 0, end, step) != 0 && errno != ENOSPC)
			set_up_failed(run, "cannot fill %s: %s", directory, strerror(errno));
		off_t reached = lseek(fd, 0, SEEK_END);
		if (reached < end + (off_t)step)
			step /= 2;
		end = reached;
	}
}
