/* SPDX-License-Identifier: Apache-2.0 */
/* Present memory that has no struct page: a PCI BAR by sysfs and by /dev/mem, raw page frames. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The path of a file of QEMU's pci-testdev in sysfs. */
static const char *device_file(struct run *run, const char *file, char *path, size_t size)
{
	bool is_it = false;
	glob_t found;

	if (glob("/sys/bus/pci/devices/*/device", 0, NULL, &found) != 0)
		set_up_failed(run, "no PCI device to map: the guest needs -device pci-testdev,membar=2M");
	for (size_t i = 0; i < found.gl_pathc && !is_it; i++) {
		char id[16] = "";
		FILE *stream = fopen(found.gl_pathv[i], "r");

		if (!stream)
			continue;
		is_it = fgets(id, sizeof(id), stream) && strcmp(id, "0x0005\n") == 0;
		fclose(stream);
		snprintf(path, size, "%.*s%s", (int)(strlen(found.gl_pathv[i]) - strlen("device")), found.gl_pathv[i], file);
	}
	globfree(&found);
	if (!is_it)
		set_up_failed(run, "no pci-testdev: the guest needs -device pci-testdev,membar=2M");
	return path;
}

/* Maps the memory BAR of QEMU's pci-testdev: present memory that has no struct page. It is never touched by the CPU. */
void *map_device_at(struct run *run, void *address, size_t length)
{
	char name[256];
	int fd = open(device_file(run, "resource2", name, sizeof(name)), O_RDWR | O_CLOEXEC);
	void *mapped = fd < 0 ? MAP_FAILED
			      : mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | (address ? MAP_FIXED : 0), fd, 0);

	if (mapped == MAP_FAILED)
		set_up_failed(run, "cannot map %s: %s", name, strerror(errno));
	close(fd);
	return mapped;
}

void *map_devmem_at(struct run *run, void *address, size_t length)
{
	char name[256];
	unsigned long start = 0;
	FILE *file = fopen(device_file(run, "resource", name, sizeof(name)), "r");

	for (int bar = 0; file && bar <= 2; bar++)
		if (fscanf(file, "%lx %*x %*x", &start) != 1)
			start = 0;
	if (file)
		fclose(file);
	if (start == 0)
		set_up_failed(run, "%s does not tell where the BAR is", name);
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		skip(run, "cannot open /dev/mem: %s", strerror(errno));
	void *mapped = mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | (address ? MAP_FIXED : 0), fd, start);
	close(fd);
	if (mapped == MAP_FAILED)
		set_up_failed(run, "cannot map /dev/mem at %#lx: %s", start, strerror(errno));
	return mapped;
}

/* The VMA of /dev/rawpfn is neither VM_IO nor VM_PFNMAP: only its page-table entries tell that there is no struct page.
 * The first is there when the kernel walks; the others would have to be faulted in. */
void map_special_over(struct run *run, struct memory *memory)
{
	int fd = open("/dev/rawpfn", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		skip(run, "cannot open /dev/rawpfn (fsdax-2021 and the module odplab have it): %s", strerror(errno));
	void *mapped = mmap(memory->bad, memory->base + memory->length - memory->bad, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		set_up_failed(run, "cannot map /dev/rawpfn: %s", strerror(errno));
	(void)*(volatile char *)memory->bad;
}

void map_device(struct run *run, struct memory *memory)
{
	void *address = map_device_at(run, take_place(run, PAGES(16)), PAGES(16));

	undo_later(run, unmap, address, PAGES(16));
	*memory = (struct memory){ .base = address, .length = PAGES(16), .bad = address, .fd = -1 };
}
