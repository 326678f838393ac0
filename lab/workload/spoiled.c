/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of one shape: memory is made and registered on demand, one page of it is spoiled, and the whole range is
 * reached in one of four ways. The name says both: hole-p is the kind "hole" reached by PREFETCH. */
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "pwxa"; /* in the order of enum way */

static const struct kind *const lists[] = { mapping_kinds, file_kinds, page_kinds, userfault_kinds };

void must(struct run *run, int result, const char *what)
{
	if (result != 0)
		set_up_failed(run, "cannot %s: %s", what, strerror(errno));
}

static const struct kind *find(const char *name, enum way *way)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct kind *kind = lists[i]; kind->name; kind++) {
			size_t length = strlen(kind->name);

			if (strncmp(name, kind->name, length) != 0 || name[length] != '-' || strlen(name) != length + 2)
				continue;
			if (!strchr(kind->ways, name[length + 1]))
				continue;
			*way = strchr(letters, name[length + 1]) - letters;
			return kind;
		}
	return NULL;
}

bool is_spoiled(const char *name)
{
	enum way way;

	return find(name, &way) != NULL;
}

void list_spoiled(void)
{
	static const char *const said[] = { "PREFETCH", "PREFETCH_WRITE", "RDMA WRITE", "asynchronous PREFETCH" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct kind *kind = lists[i]; kind->name; kind++)
			for (const char *letter = kind->ways; *letter; letter++)
				printf("%s-%c\t%s, %s\n", kind->name, *letter, said[strchr(letters, *letter) - letters], kind->what);
}

bool prepare_spoiled(struct run *run, const char *name, struct spoiled *it)
{
	struct memory *memory = &it->memory;
	const struct kind *kind = find(name, &it->way);

	if (!kind)
		return false;
	kind->make(run, memory);
	it->mr = register_memory(run, memory->base, memory->length, ODP_ACCESS, 0, NULL);
	if (!it->mr && run->gate)
		set_up_failed(run, "cannot register healthy memory");
	if (!it->mr)
		return true;
	if (it->way == RDMA_WRITE)
		build_pair(run, memory->length);
	if (kind->warm)
		advise(run, it->mr->lkey, PREFETCH_WRITE, memory->base, memory->length, 0, NULL);
	pass_gate(run);
	if (kind->spoil)
		kind->spoil(run, memory);
	it->error = kind->since.major && kernel_since(kind->since.major, kind->since.minor) ? kind->since.error : kind->error;
	return true;
}

bool run_spoiled(struct run *run, const char *name)
{
	struct spoiled it;

	if (!prepare_spoiled(run, name, &it))
		return false;
	if (!it.mr)
		return true;
	struct memory *memory = &it.memory;
	const void *bad = it.error ? memory->bad : NULL;
	if (it.way == RDMA_WRITE)
		rdma_write(run, it.mr, memory->base, memory->length, it.error, bad);
	else
		advise(run, it.mr->lkey, it.way, memory->base, memory->length, it.error, bad);
	unregister_memory(run, it.mr);
	pass_gate(run);
	return true;
}
