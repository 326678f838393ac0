/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned registrations that the file system behind the mapping stands against: it must be told of writes, or is full. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>

/* Long-term write pins of memory whose writes are tracked are refused since Linux 6.5. */
static int since_6_5(int expect)
{
	return kernel_since(6, 5) ? expect : 0;
}

static void make_and_pin(struct run *run, void (*make)(struct run *, struct memory *), int expect)
{
	struct memory memory;

	make(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, expect, expect ? memory.bad : NULL);
}

static void vfat(struct run *run)
{
	make_and_pin(run, map_vfat, since_6_5(EFAULT));
}

static void vfat_private(struct run *run)
{
	make_and_pin(run, map_vfat_private, 0);
}

static void block_device(struct run *run)
{
	make_and_pin(run, map_block_device, since_6_5(EFAULT));
}

static void tmpfs_full(struct run *run)
{
	make_and_pin(run, map_tmpfs_full, EFAULT);
}

static void tmpfs_roomy(struct run *run)
{
	make_and_pin(run, map_tmpfs_roomy, 0);
}

/* Full, and too short besides: that is found first. */
static void tmpfs_full_eof(struct run *run)
{
	struct memory memory;

	map_tmpfs_full(run, &memory);
	spoil_truncate(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, memory.bad);
}

/* From 6.5 on the mapping is refused before a page is faulted in. */
static void disk_full(struct run *run)
{
	struct memory memory;

	map_disk_hole(run, &memory);
	fill_file_system(run, options.disk);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, kernel_since(6, 5) ? memory.base : memory.bad);
}

static void overlay_eof(struct run *run)
{
	struct memory memory;

	map_overlay(run, &memory);
	spoil_truncate(run, &memory);
	register_memory(run, memory.base, memory.length, PIN_ACCESS, EFAULT, kernel_since(6, 5) ? memory.base : memory.bad);
}

const struct scenario pin_backing_scenarios[] = {
	{ "pin-vfat", "pinned for writing: a shared file of vfat", vfat },
	{ "pin-vfat-private", "pinned for writing: a private mapping of a file of vfat", vfat_private },
	{ "pin-block", "pinned for writing: a shared mapping of a block device", block_device },
	{ "pin-tmpfs-full", "pinned: a sparse file of a tmpfs that is full", tmpfs_full },
	{ "pin-tmpfs-roomy", "pinned: a sparse file of a tmpfs that has just room for it", tmpfs_roomy },
	{ "pin-tmpfs-full-eof", "pinned: a file that was truncated, of a tmpfs that is full", tmpfs_full_eof },
	{ "pin-disk-full", "pinned: a file with holes, of a disk file system that is full", disk_full },
	{ "pin-overlay-eof", "pinned: a file of overlayfs truncated below the MR", overlay_eof },
	{ 0 },
};
