/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of memory that the state of a page makes bad, or good: poison, guards, swap, huge pages, no memory left. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

static void ignore(int number)
{
	(void)number;
}

void spoil_poison(struct run *run, struct memory *memory)
{
	struct sigaction action = { .sa_handler = ignore }; /* poisoning a mapped page sends SIGBUS to its owner */

	must(run, sigaction(SIGBUS, &action, NULL), "handle SIGBUS");
	must(run, madvise(memory->bad, PAGE, MADV_HWPOISON), "poison a page (needs CONFIG_MEMORY_FAILURE)");
}

static void spoil_guard(struct run *run, struct memory *memory)
{
	if (madvise(memory->bad, PAGE, 102 /* MADV_GUARD_INSTALL */) != 0)
		skip(run, "no guard pages before Linux 6.13: %s", strerror(errno));
}

const struct kind page_kinds[] = {
	{ "hwpoison", "px", map_anon, spoil_poison, EFAULT, "a page in the middle is poisoned" },
	{ "hugetlb-hwpoison", "px", map_hugetlb, spoil_poison, EFAULT, "a huge page is poisoned" },
	{ "fsdax-hwpoison", "px", map_fsdax, spoil_poison, 0, "an fsdax page is poisoned, which the kernel recovers" },
	{ "guard", "p", map_anon, spoil_guard, EFAULT, "a page in the middle is a guard page (since 6.13)" },
	{ "hugetlb-empty", "p", map_hugetlb_unbacked, NULL, EFAULT, "huge pages, but the pool is empty" },
	{ "hugetlb-group", "p", map_hugetlb_reserved, enter_huge_cgroup, EFAULT, "a huge page beyond the limit of the control group" },
	{ "hugetlb-mount", "p", map_hugetlb_mount, NULL, EFAULT, "a huge page beyond the size of the hugetlbfs mount" },
	{ "hugetlb-reserved", "p", map_hugetlb_reserved, NULL, 0, "a huge page that the pool has reserved" },
	{ "swapped", "pwx", map_anon, swap_out, 0, "every page is swapped out" },
	{ "cgroup-full", "w", map_more_than_cgroup, enter_small_cgroup, EFAULT, "more than the memory cgroup may have",
	  .since = { 7, 3, ENOMEM } },
	{ 0 },
};
