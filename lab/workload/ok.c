/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios in which everything succeeds: a tracer must name nothing here. */
#include "workload.h"

static void use_all(struct run *run, void (*make)(struct run *, struct memory *))
{
	struct memory memory;

	make(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		return;
	advise(run, mr->lkey, PREFETCH, memory.base, memory.length, 0, NULL);
	advise(run, mr->lkey, PREFETCH_WRITE, memory.base, memory.length, 0, NULL);
	advise(run, mr->lkey, PREFETCH_LATER, memory.base, memory.length, 0, NULL);
	if (run->device->odp_write) {
		build_pair(run, memory.length);
		rdma_write(run, mr, memory.base, memory.length, 0, NULL);
	}
}

static void ok_anon(struct run *run)
{
	use_all(run, map_anon);
}

static void ok_tmpfs(struct run *run)
{
	use_all(run, map_tmpfs);
}

static void ok_fsdax(struct run *run)
{
	use_all(run, map_fsdax);
}

static void ok_fsdax_2m(struct run *run)
{
	use_all(run, map_fsdax_2m);
}

static void ok_thp(struct run *run)
{
	use_all(run, map_thp);
}

static void ok_hugetlb(struct run *run)
{
	use_all(run, map_hugetlb);
}

/* Only the data path: rxe of 6.16 faults pages in, but has no advice. */
static void ok_anon_x(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, ODP_ACCESS, 0, NULL);
	if (!mr)
		return;
	build_pair(run, memory.length);
	rdma_write(run, mr, memory.base, memory.length, 0, NULL);
}

static void ok_pin_anon(struct run *run)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
	if (!mr)
		return;
	build_pair(run, memory.length);
	rdma_write(run, mr, memory.base, memory.length, 0, NULL);
}

const struct scenario ok_scenarios[] = {
	{ "ok-anon", "anonymous memory, every operation the kernel has", ok_anon },
	{ "ok-anon-x", "anonymous memory, RDMA WRITE over an ODP registration", ok_anon_x },
	{ "ok-tmpfs", "tmpfs, every operation the kernel has", ok_tmpfs },
	{ "ok-fsdax", "fsdax mapped by 4 KiB entries, every operation the kernel has", ok_fsdax },
	{ "ok-fsdax-2m", "fsdax mapped by one 2 MiB entry, every operation the kernel has", ok_fsdax_2m },
	{ "ok-thp", "a transparent huge page, every operation the kernel has", ok_thp },
	{ "ok-hugetlb", "a hugetlb page, every operation the kernel has", ok_hugetlb },
	{ "ok-pin-anon", "anonymous memory, pinned, and RDMA WRITE", ok_pin_anon },
	{ 0 },
};
