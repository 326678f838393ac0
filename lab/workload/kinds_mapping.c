/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of memory that a mapping, or its protection, makes bad: the kernel need not look at a page. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void spoil_unmap(struct run *run, struct memory *memory)
{
	must(run, munmap(memory->bad, PAGE), "unmap a page");
}

void spoil_protnone(struct run *run, struct memory *memory)
{
	must(run, mprotect(memory->bad, PAGE, PROT_NONE), "protect a page");
}

static void spoil_readonly(struct run *run, struct memory *memory)
{
	must(run, mprotect(memory->bad, memory->base + memory->length - memory->bad, PROT_READ), "protect pages");
}

static void spoil_readonly_all(struct run *run, struct memory *memory)
{
	memory->bad = memory->base;
	spoil_readonly(run, memory);
}

/* The page is emptied: to a pin, a page that the processor may read is good, whatever the mapping says. */
void spoil_writeonly(struct run *run, struct memory *memory)
{
	must(run, madvise(memory->bad, PAGE, MADV_DONTNEED), "empty a page");
	must(run, mprotect(memory->bad, PAGE, PROT_WRITE), "make a page write-only");
}

void spoil_execonly(struct run *run, struct memory *memory)
{
	must(run, madvise(memory->bad, PAGE, MADV_DONTNEED), "empty a page");
	must(run, mprotect(memory->bad, PAGE, PROT_EXEC), "make a page execute-only");
}

static void spoil_device(struct run *run, struct memory *memory)
{
	map_device_at(run, memory->bad, PAGE);
}

void spoil_devmem(struct run *run, struct memory *memory)
{
	map_devmem_at(run, memory->bad, PAGE);
}

/* Every second page executable: 64 mappings, which the kernel walks one after the other. */
void spoil_vmas(struct run *run, struct memory *memory)
{
	for (size_t i = 0; i < memory->length / PAGE; i += 2)
		must(run, mprotect(memory->base + PAGES(i), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), "split the mapping");
	memory->bad = memory->base + PAGES(39);
	spoil_protnone(run, memory);
}

static void free_key(void *unused, size_t number)
{
	(void)unused;
	pkey_free(number);
}

static _Thread_local int key;

static void grant(struct run *run)
{
	(void)run;
	pkey_set(key, 0);
}

void spoil_pkey(struct run *run, struct memory *memory)
{
	key = pkey_alloc(0, PKEY_DISABLE_ACCESS);

	if (key < 0)
		skip(run, "no protection keys on this processor: %s", strerror(errno));
	undo_later(run, free_key, NULL, key);
	must(run, pkey_mprotect(memory->bad, PAGE, PROT_READ | PROT_WRITE, key), "give a page a protection key");
	run->relieve = grant;
}

const struct kind mapping_kinds[] = {
	{ "hole", "pwxa", map_anon, spoil_unmap, EFAULT, "a page in the middle is unmapped" },
	{ "protnone", "pwxa", map_anon, spoil_protnone, EFAULT, "a page in the middle is PROT_NONE" },
	{ "protnone-later", "pwxa", map_anon, spoil_protnone, EFAULT, "a page becomes PROT_NONE after it was mapped", .warm = true },
	{ "writeonly", "pwx", map_anon, spoil_writeonly, EFAULT, "a page in the middle is PROT_WRITE alone" },
	{ "execonly", "pwx", map_anon, spoil_execonly, EFAULT, "a page in the middle is PROT_EXEC alone" },
	{ "readonly", "wx", map_anon, spoil_readonly, EPERM, "the second part of the range is PROT_READ" },
	{ "readonly-later", "w", map_anon, spoil_readonly, EPERM, "becomes PROT_READ after it was mapped", .warm = true },
	{ "readonly-all", "w", map_anon, spoil_readonly_all, EPERM, "the whole range is PROT_READ" },
	{ "mixed-device", "pxa", map_anon, spoil_device, EFAULT, "a page in the middle is a PCI BAR" },
	{ "device", "px", map_device, NULL, EFAULT, "the whole range is a PCI BAR" },
	{ "devmem", "pxa", map_anon, spoil_devmem, EFAULT, "a page in the middle is /dev/mem at a PCI BAR" },
	{ "special", "pwa", map_anon, map_special_over, EFAULT, "from the middle on pages without struct page (/dev/rawpfn)" },
	{ "vmas", "pwxa", map_anon_64, spoil_vmas, EFAULT, "64 mappings, the 40th is PROT_NONE" },
	{ "pkey", "pwx", map_anon, spoil_pkey, 0, "a protection key denies this process a page; the device it does not concern" },
	{ 0 },
};
