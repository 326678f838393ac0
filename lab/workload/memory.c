/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of memory that needs no file system of the lab: anonymous, tmpfs, hugetlb, a PCI BAR, raw page frames. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void unmap(void *address, size_t length)
{
	munmap(address, length);
}

static void close_fd(void *object, size_t fd)
{
	(void)object;
	close(fd);
}

void fill(void *address, size_t length)
{
	for (size_t i = 0; i < length; i += PAGE)
		((volatile char *)address)[i] = 1 + i / PAGE;
}

static void map(struct run *run, struct memory *memory, size_t length, int protection, int flags, int fd)
{
	void *address = mmap(NULL, length, protection, flags, fd, 0);

	if (address == MAP_FAILED)
		set_up_failed(run, "cannot map %zu bytes: %s", length, strerror(errno));
	undo_later(run, unmap, address, length);
	*memory = (struct memory){.base = address, .length = length, .bad = (char *)address + PAGES(run->bad_index), .fd = fd};
}

void map_anon(struct run *run, struct memory *memory)
{
	map(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory->base, memory->length);
}

static int open_tmpfs(struct run *run)
{
	int fd = memfd_create("workload", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PAGES(16)) != 0)
		set_up_failed(run, "cannot make a tmpfs file: %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	return fd;
}

void map_tmpfs(struct run *run, struct memory *memory)
{
	map(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, open_tmpfs(run));
	fill(memory->base, memory->length);
}

void map_tmpfs_readonly(struct run *run, struct memory *memory)
{
	map(run, memory, PAGES(16), PROT_READ, MAP_SHARED, open_tmpfs(run));
	memory->bad = memory->base;
}

/* The machine has no huge pages reserved, and MAP_NORESERVE lets the mapping be made all the same. */
void map_hugetlb_unbacked(struct run *run, struct memory *memory)
{
	map(run, memory, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1);
	memory->bad = memory->base;
}

/* Maps the memory BAR of QEMU's pci-testdev: present memory that has no struct page. It is never touched by the CPU. */
void *map_device_at(struct run *run, void *address, size_t length)
{
	glob_t found;
	void *mapped = MAP_FAILED;

	if (glob("/sys/bus/pci/devices/*/device", 0, NULL, &found) != 0)
		set_up_failed(run, "no PCI device to map: the guest needs -device pci-testdev,membar=2M");
	for (size_t i = 0; i < found.gl_pathc && mapped == MAP_FAILED; i++) {
		char path[256], id[16] = "";
		FILE *file = fopen(found.gl_pathv[i], "r");

		if (!file)
			continue;
		if (!fgets(id, sizeof(id), file))
			id[0] = 0;
		fclose(file);
		if (strcmp(id, "0x0005\n") != 0)
			continue;
		snprintf(path, sizeof(path), "%.*s/resource2", (int)(strlen(found.gl_pathv[i]) - strlen("/device")),
			found.gl_pathv[i]);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		mapped = mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | (address ? MAP_FIXED : 0), fd, 0);
		close(fd);
	}
	globfree(&found);
	if (mapped == MAP_FAILED)
		set_up_failed(run, "cannot map resource2 of pci-testdev (guest option -device pci-testdev,membar=2M): %s",
			strerror(errno));
	return mapped;
}

/* The VMA of /dev/rawpfn is neither VM_IO nor VM_PFNMAP: only its page-table entries tell that there is no struct page.
 * The first is there when the kernel walks; the others would have to be faulted in. */
void map_special_over(struct run *run, struct memory *memory)
{
	int fd = open("/dev/rawpfn", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		set_up_failed(run, "cannot open /dev/rawpfn (only the kernel fsdax-2021 has it): %s", strerror(errno));
	void *mapped = mmap(memory->bad, memory->base + memory->length - memory->bad, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		set_up_failed(run, "cannot map /dev/rawpfn: %s", strerror(errno));
	(void)*(volatile char *)memory->bad;
}

void map_device(struct run *run, struct memory *memory)
{
	void *address = map_device_at(run, NULL, PAGES(16));

	undo_later(run, unmap, address, PAGES(16));
	*memory = (struct memory){.base = address, .length = PAGES(16), .bad = address, .fd = -1};
}
