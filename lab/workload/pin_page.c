/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned registrations that the state of a page, or of the file behind it, stands against. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static void spoil_and_pin(struct run *run, void (*make)(struct run *, struct memory *),
			  void (*spoil)(struct run *, struct memory *), int expect)
{
	struct memory memory;

	make(run, &memory);
	spoil(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, expect, expect ? memory.bad : NULL);
}

static void eof(struct run *run)
{
	spoil_and_pin(run, map_tmpfs, spoil_truncate, EFAULT);
}

static void poison(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_poison, EFAULT);
}

static void userfault(struct run *run)
{
	spoil_and_pin(run, map_anon_untouched, spoil_userfault_sigbus, EFAULT);
}

static void userfault_poison(struct run *run)
{
	spoil_and_pin(run, map_anon_untouched, spoil_userfault_poison, EFAULT);
}

static void hugetlb(struct run *run)
{
	struct memory memory;

	map_hugetlb_unbacked(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
}

static void cgroup(struct run *run)
{
	spoil_and_pin(run, map_more_than_cgroup, enter_small_cgroup, ENOMEM);
}

/* Whether the frame is in the zone that long-term pins must leave. */
static bool in_movable_zone(uint64_t frame)
{
	unsigned long start = 0, spanned = 0, number;
	bool movable = false, found = false;
	char line[256], zone[32];
	FILE *file = fopen("/proc/zoneinfo", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d, zone %31s", zone) == 1)
			movable = strcmp(zone, "Movable") == 0;
		if (sscanf(line, " spanned %lu", &number) == 1)
			spanned = number;
		if (sscanf(line, " start_pfn: %lu", &start) == 1 && movable)
			found = found || (frame >= start && frame < start + spanned);
	}
	if (file)
		fclose(file);
	return found;
}

/* The page of the middle is in a pipe: whoever holds it does not expect it to move. */
static void movable(struct run *run)
{
	struct memory memory;
	unsigned flags;
	int ends[2];

	map_anon(run, &memory);
	struct iovec page = { memory.bad, PAGE };
	if (!in_movable_zone(page_frame(run, memory.bad, &flags)))
		skip(run, "the page is not in ZONE_MOVABLE (kernel option movablecore=512M)");
	must(run, pipe2(ends, O_CLOEXEC), "make a pipe");
	undo_later(run, close_fd, NULL, ends[0]);
	undo_later(run, close_fd, NULL, ends[1]);
	if (vmsplice(ends[1], &page, 1, 0) != (ssize_t)PAGE)
		set_up_failed(run, "cannot put a page into a pipe: %s", strerror(errno));
	register_memory(run, memory.base, memory.length, PIN_ACCESS, ENOMEM, memory.bad);
}

/* A number of /proc/meminfo, KiB; -1: there is none of that name. */
static long kib_of(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), ": %ld", &value);
	if (file)
		fclose(file);
	return value;
}

/* The same in CMA memory, which the allocator takes while more than half of what is free is CMA's. */
static void cma(struct run *run)
{
	struct memory memory;
	int ends[2];

	if (kib_of("CmaTotal") < 1024)
		skip(run, "no CMA memory (kernel option cma=640M)");
	long before = kib_of("CmaFree");
	map_memory(run, &memory, PAGES(4096), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(run, madvise(memory.base, memory.length, MADV_NOHUGEPAGE), "ask for small pages");
	fill(memory.base, memory.length);
	if (before - kib_of("CmaFree") < (long)(memory.length >> 11))
		skip(run, "less than half of the memory came from CMA");
	struct iovec pages = { memory.base, PAGES(64) };
	must(run, pipe2(ends, O_CLOEXEC), "make a pipe");
	undo_later(run, close_fd, NULL, ends[0]);
	undo_later(run, close_fd, NULL, ends[1]);
	if (fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) < 0 || vmsplice(ends[1], &pages, 1, 0) != (ssize_t)PAGES(64))
		set_up_failed(run, "cannot put pages into a pipe: %s", strerror(errno));
	register_memory(run, memory.base, PAGES(64), PIN_ACCESS, ENOMEM, NULL);
}

/* Memory of a PCI device that has struct pages, mapped by sysfs: an NVMe disk's controller memory buffer. */
static void peer(struct run *run)
{
	glob_t found;

	if (access("/dev/nvme0", F_OK) != 0 && system("modprobe -q nvme") == 0) /* nothing in the guest does by itself */
		sleep(1); /* the driver looks for its device in a worker */
	if (glob("/sys/bus/pci/devices/*/p2pmem/allocate", 0, NULL, &found) != 0)
		skip(run, "no PCI device offers peer-to-peer memory (guest option -device nvme,cmb_size_mb=16; 6.2)");
	int fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	globfree(&found);
	if (fd < 0)
		set_up_failed(run, "cannot open p2pmem/allocate: %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	struct memory memory;
	map_memory(run, &memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	/* Only to be read: sysfs keeps track of writes, and a pin for writing meets that check before. */
	register_memory(run, memory.base, memory.length, 0, EREMOTEIO, memory.base);
}

const struct scenario pin_page_scenarios[] = {
	{ "pin-tmpfs-eof", "pinned: tmpfs file truncated below the MR", eof },
	{ "pin-hwpoison", "pinned: a page in the middle is poisoned", poison },
	{ "pin-userfault", "pinned: userfaultfd that asks for SIGBUS", userfault },
	{ "pin-userfault-poison", "pinned: UFFDIO_POISON (since 6.6)", userfault_poison },
	{ "pin-hugetlb-empty", "pinned: huge pages, but the pool is empty", hugetlb },
	{ "pin-cgroup-full", "pinned: more than the memory cgroup may have", cgroup },
	{ "pin-movable", "pinned: a page of ZONE_MOVABLE that cannot move, because a pipe holds it", movable },
	{ "pin-cma", "pinned: pages of CMA memory that cannot move, because a pipe holds them", cma },
	{ "pin-peer", "pinned: peer-to-peer memory of a PCI device", peer },
	{ 0 },
};
