/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that a scenario mounts for itself: a tmpfs and a hugetlbfs of a given size, vfat, overlayfs. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void unmount(void *object, size_t size)
{
	(void)size;
	umount2(object, MNT_DETACH);
	rmdir(object);
	free(object);
}

/* A directory of its own, to be unmounted and removed. */
static char *mount_point(struct run *run)
{
	static _Thread_local unsigned number;
	char *path;

	if (asprintf(&path, "/tmp/%s.mount.%d.%u", run->scenario, gettid(), number++) < 0)
		set_up_failed(run, "out of memory");
	must(run, mkdir(path, 0755), "make a directory to mount on");
	undo_later(run, unmount, path, 0);
	return path;
}

/* Which the kernel of this guest may not have. */
static char *mount_new(struct run *run, const char *device, const char *type, const char *data)
{
	char *path = mount_point(run);

	if (mount(device, path, type, 0, data) != 0)
		skip(run, "cannot mount %s: %s", type, strerror(errno));
	return path;
}

static void map_file_of(struct run *run, struct memory *memory, const char *directory, size_t size, int sharing)
{
	map_memory(run, memory, size, PROT_READ | PROT_WRITE, sharing, make_file(run, directory, size, false));
}

/* Its size ends where bad begins, so that the page there finds no block. */
void map_tmpfs_full(struct run *run, struct memory *memory)
{
	char data[32];

	snprintf(data, sizeof(data), "size=%lu", PAGES(run->bad_index));
	map_file_of(run, memory, mount_new(run, "tmpfs", "tmpfs", data), PAGES(16), MAP_SHARED);
	fill(memory->base, memory->bad - memory->base);
}

/* The same with room for all: nothing fails. */
void map_tmpfs_roomy(struct run *run, struct memory *memory)
{
	char data[32];

	snprintf(data, sizeof(data), "size=%lu", PAGES(16));
	map_file_of(run, memory, mount_new(run, "tmpfs", "tmpfs", data), PAGES(16), MAP_SHARED);
	fill(memory->base, memory->bad - memory->base);
}

/* Two huge pages of a file, of which its mount may have one; the pool has more. */
void map_hugetlb_mount(struct run *run, struct memory *memory)
{
	fill_pool(run, 4);
	map_file_of(run, memory, mount_new(run, "none", "hugetlbfs", "pagesize=2M,size=2M"), 2 * HUGE,
		    MAP_SHARED | MAP_NORESERVE);
	fill(memory->base, HUGE);
	memory->bad = memory->base + HUGE;
}

static void free_loop(void *object, size_t size)
{
	char command[64];

	(void)size;
	snprintf(command, sizeof(command), "losetup -d %s", (char *)object);
	if (system(command) != 0)
		fprintf(stderr, "workload: %s failed\n", command);
	free(object);
}

/* A disk of 8 MiB, with vfat on it. */
static char *vfat_disk(struct run *run)
{
	int fd = make_file(run, "/tmp", 8 << 20, false);
	char command[256], line[32] = "";
	FILE *output;

	(void)!system("modprobe -q loop; modprobe -q vfat; modprobe -q nls_cp437; modprobe -q nls_ascii");
	snprintf(command, sizeof(command), "device=$(losetup -f) && losetup $device /proc/%d/fd/%d && mkdosfs $device >/dev/null "
					   "&& echo $device",
		 getpid(), fd);
	output = popen(command, "r");
	if (!output || !fgets(line, sizeof(line), output))
		line[0] = 0;
	if (output)
		pclose(output);
	line[strcspn(line, "\n")] = 0;
	if (!line[0])
		skip(run, "cannot make a disk with vfat (modules loop and vfat, busybox's losetup and mkdosfs)");
	char *device = strdup(line);
	undo_later(run, free_loop, device, 0);
	return device;
}

static void map_vfat_as(struct run *run, struct memory *memory, int sharing)
{
	char *path = mount_new(run, vfat_disk(run), "vfat", NULL), *name;

	/* no file of the usual name: vfat takes no dot at the end of one, and no number of them */
	if (asprintf(&name, "%s/scratch", path) < 0)
		set_up_failed(run, "out of memory");
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(name);
	must(run, fd < 0 ? fd : ftruncate(fd, PAGES(16)), "make a file on vfat");
	undo_later(run, close_fd, NULL, fd);
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, sharing, fd);
	fill(memory->base, memory->length);
	memory->bad = memory->base;
}

void map_vfat(struct run *run, struct memory *memory)
{
	map_vfat_as(run, memory, MAP_SHARED);
}

void map_vfat_private(struct run *run, struct memory *memory)
{
	map_vfat_as(run, memory, MAP_PRIVATE);
}

/* The disk itself. */
void map_block_device(struct run *run, struct memory *memory)
{
	int fd = open(vfat_disk(run), O_RDWR | O_CLOEXEC);

	must(run, fd < 0 ? fd : 0, "open a block device");
	undo_later(run, close_fd, NULL, fd);
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(memory->base, memory->length);
	memory->bad = memory->base;
}

static void remove_tree(void *object, size_t size)
{
	char command[512];

	(void)size;
	snprintf(command, sizeof(command), "rm -rf %s", (char *)object);
	(void)!system(command);
	free(object);
}

/* A file of the upper layer, on the ordinary disk. */
void map_overlay(struct run *run, struct memory *memory)
{
	char *base, data[1024], name[3][256];
	static const char *const parts[] = { "lower", "upper", "work" };

	(void)!system("modprobe -q overlay");
	if (asprintf(&base, "%s/%s.%d", options.disk, run->scenario, gettid()) < 0)
		set_up_failed(run, "out of memory");
	must(run, mkdir(base, 0755), "make a directory for layers");
	undo_later(run, remove_tree, base, 0);
	for (int i = 0; i < 3; i++) {
		snprintf(name[i], sizeof(name[i]), "%s/%s", base, parts[i]);
		must(run, mkdir(name[i], 0755), "make a layer");
	}
	snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s,workdir=%s", name[0], name[1], name[2]);
	map_file_of(run, memory, mount_new(run, "overlay", "overlay", data), PAGES(16), MAP_SHARED);
	fill(memory->base, memory->length);
}
