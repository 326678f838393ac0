/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned registrations that a mapping, or its protection, stands against. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_ONLY = 0 }; /* an MR that the device only reads */

static void spoil_and_pin(struct run *run, void (*make)(struct run *, struct memory *),
			  void (*spoil)(struct run *, struct memory *), int access, int expect)
{
	struct memory memory;

	make(run, &memory);
	if (spoil)
		spoil(run, &memory);
	register_memory(run, memory.base, memory.length, access, expect, expect ? memory.bad : NULL);
}

/* Up to 6.1 a pin for reading was one for writing by force, which private memory grants whatever its protection. */
static int since_6_2(int expect)
{
	return kernel_since(6, 2) ? expect : 0;
}

static void writeonly(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_writeonly, READ_ONLY, since_6_2(EFAULT));
}

/* Up to 6.1 it is not the protection but the protection key, with which the processor makes it so, that refuses. */
static void execonly(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_execonly, READ_ONLY, EFAULT);
}

static void protnone_read(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_protnone, READ_ONLY, since_6_2(EFAULT));
}

/* Shared memory is never written to by force. */
static void readonly_read(struct run *run)
{
	spoil_and_pin(run, map_tmpfs_readonly, NULL, READ_ONLY, kernel_since(6, 2) ? 0 : EFAULT);
}

static void vmas(struct run *run)
{
	spoil_and_pin(run, map_anon_64, spoil_vmas, PIN_ACCESS, EFAULT);
}

static void pkey(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_pkey, PIN_ACCESS, EFAULT);
}

static void devmem(struct run *run)
{
	spoil_and_pin(run, map_anon, spoil_devmem, PIN_ACCESS, EFAULT);
}

static void map_secret(struct run *run, struct memory *memory)
{
	int fd = syscall(447 /* memfd_secret */, O_CLOEXEC);

	if (fd < 0)
		skip(run, "no memfd_secret (5.14; before 6.5 it needs secretmem.enable=1): %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	must(run, ftruncate(fd, PAGES(16)), "give secret memory a size");
	map_memory(run, memory, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(memory->base, memory->length);
	memory->bad = memory->base;
}

static void secret(struct run *run)
{
	spoil_and_pin(run, map_secret, NULL, PIN_ACCESS, EFAULT);
}

/* The kernel's drm_mode_create_dumb and drm_mode_map_dumb. */
struct dumb {
	uint32_t height, width, bits, flags, handle, pitch;
	uint64_t size;
};
struct dumb_place {
	uint32_t handle, pad;
	uint64_t offset;
};

/* Nothing in the guest loads the driver by itself. */
static int open_graphics(void)
{
	if (access("/dev/dri/card0", F_OK) != 0 && system("modprobe -q bochs || modprobe -q bochs_drm") != 0)
		return -1;
	return open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
}

static void map_graphics(struct run *run, struct memory *memory)
{
	struct dumb dumb = { .height = 64, .width = 256, .bits = 32 };
	int fd = open_graphics();

	if (fd < 0)
		skip(run, "cannot open /dev/dri/card0 (guest option -device bochs-display): %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	must(run, ioctl(fd, _IOWR('d', 0xb2, struct dumb), &dumb), "make a dumb buffer");
	struct dumb_place place = { .handle = dumb.handle };
	must(run, ioctl(fd, _IOWR('d', 0xb3, struct dumb_place), &place), "find a dumb buffer");
	void *address = mmap(NULL, PAGES(16), PROT_READ | PROT_WRITE, MAP_SHARED, fd, place.offset);
	if (address == MAP_FAILED)
		set_up_failed(run, "cannot map a dumb buffer: %s", strerror(errno));
	undo_later(run, unmap, address, PAGES(16));
	*memory = (struct memory){ .base = address, .length = PAGES(16), .bad = address, .fd = fd };
}

static void graphics(struct run *run)
{
	spoil_and_pin(run, map_graphics, NULL, PIN_ACCESS, EFAULT);
}

const struct scenario pin_mapping_scenarios[] = {
	{ "pin-writeonly", "pinned for reading: a page in the middle is PROT_WRITE alone", writeonly },
	{ "pin-execonly", "pinned for reading: a page in the middle is PROT_EXEC alone", execonly },
	{ "pin-protnone-read", "pinned for reading: a page in the middle is PROT_NONE", protnone_read },
	{ "pin-readonly-read", "pinned for reading: a shared file mapped PROT_READ", readonly_read },
	{ "pin-vmas", "pinned: 64 mappings, the 40th is PROT_NONE", vmas },
	{ "pin-pkey", "pinned: a protection key denies this process a page", pkey },
	{ "pin-devmem", "pinned: a page in the middle is /dev/mem at a PCI BAR", devmem },
	{ "pin-secret", "pinned memfd_secret", secret },
	{ "pin-graphics", "pinned buffer of a graphics card", graphics },
	{ 0 },
};
