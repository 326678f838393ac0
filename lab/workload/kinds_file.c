/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of memory that the file behind a mapping makes bad, or good: its size, its blocks, its file system. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

void spoil_truncate(struct run *run, struct memory *memory)
{
	must(run, ftruncate(memory->fd, memory->bad - memory->base), "truncate the file");
}

static void spoil_full(struct run *run, struct memory *memory)
{
	(void)memory;
	fill_file_system(run, options.fs);
}

static void spoil_disk_full(struct run *run, struct memory *memory)
{
	(void)memory;
	fill_file_system(run, options.disk);
}

static void spoil_shutdown(struct run *run, struct memory *memory)
{
	uint32_t without_log = 2;

	must(run, ioctl(memory->fd, _IOR('X', 125, uint32_t) /* XFS_IOC_GOINGDOWN */, &without_log),
	     "shut the file system down (it must be XFS)");
}

const struct kind file_kinds[] = {
	{ "fsdax-eof", "pwxa", map_fsdax, spoil_truncate, EFAULT, "fsdax file truncated below the MR" },
	{ "fsdax-never-sized", "p", map_fsdax_unsized, NULL, EFAULT, "fsdax file of size 0" },
	{ "fsdax-hole", "wx", map_fsdax_hole, NULL, 0, "fsdax file with holes, which writing fills" },
	{ "fsdax-full", "wx", map_fsdax_hole, spoil_full, EFAULT, "fsdax file with holes, and the file system is full" },
	{ "tmpfs-eof", "pxa", map_tmpfs, spoil_truncate, EFAULT, "tmpfs file truncated below the MR" },
	{ "tmpfs-full", "pwxa", map_tmpfs_full, NULL, EFAULT, "sparse file of a tmpfs that is full" },
	{ "tmpfs-full-eof", "p", map_tmpfs_full, spoil_truncate, EFAULT, "truncated file of a tmpfs that is full" },
	{ "tmpfs-roomy", "w", map_tmpfs_roomy, NULL, 0, "sparse file of a tmpfs that has just room for it" },
	{ "disk-full", "wx", map_disk_hole, spoil_disk_full, EFAULT, "file of an ordinary disk with holes, and the disk is full" },
	{ "disk-hole", "w", map_disk_hole, NULL, 0, "file of an ordinary disk with holes, which writing fills" },
	{ "overlay-eof", "pw", map_overlay, spoil_truncate, EFAULT, "file of overlayfs truncated below the MR" },
	{ "tmpfs-never-sized", "p", map_tmpfs_unsized, NULL, EFAULT, "tmpfs file of size 0" },
	{ "disk-eof", "pwx", map_disk, spoil_truncate, EFAULT, "file of an ordinary disk truncated below the MR" },
	{ "disk-never-sized", "p", map_disk_unsized, NULL, EFAULT, "file of an ordinary disk, of size 0" },
	{ "xfs-shutdown", "p", map_fsdax_half, spoil_shutdown, EFAULT, "fsdax on XFS, which was shut down" },
	{ 0 },
};
