/* SPDX-License-Identifier: Apache-2.0 */
/* MRs registered anew. rdma-core's rxe provider refuses that in user space, so the command is written by hand. */
#include "workload.h"

#include <errno.h>
#include <rdma/ib_user_verbs.h>
#include <unistd.h>

enum {
	TRANSLATION = 1,
	ACCESS = 4,
}; /* enum ib_mr_rereg_flags of the kernel */

static void rereg(struct run *run, uint32_t flags, size_t off, int access, int expect)
{
	struct memory memory;

	map_anon(run, &memory);
	struct ibv_mr *mr = register_memory(run, memory.base, memory.length, PIN_ACCESS, 0, NULL);
	if (!mr)
		return;
	struct ib_uverbs_rereg_mr_resp response;
	struct {
		struct ib_uverbs_cmd_hdr header;
		struct ib_uverbs_rereg_mr rereg;
	} command = {
		.header = { .command = IB_USER_VERBS_CMD_REREG_MR, .in_words = sizeof(command) / 4, .out_words = sizeof(response) / 4 },
		.rereg = { .response = (uintptr_t)&response, .mr_handle = mr->handle, .flags = flags, .start = (uintptr_t)memory.base, .length = memory.length, .hca_va = (uintptr_t)memory.base + off, .pd_handle = run->device->pd->handle, .access_flags = access },
	};
	unsigned tries = expect ? run->times : 0;

	do {
		begin_operation(run);
		int error = write(run->device->context->cmd_fd, &command, sizeof(command)) == sizeof(command) ? 0 : errno;
		print_outcome(run, &(struct outcome){ .op = "rereg_mr", .address = memory.base, .length = memory.length, .error = error, .expect_error = expect, .wc = -1, .ok = error == expect });
	} while (once_more(run, &tries));
}

static void access_bad(struct run *run)
{
	rereg(run, ACCESS, 0, IBV_ACCESS_REMOTE_WRITE, EINVAL);
}

static void misaligned(struct run *run)
{
	rereg(run, TRANSLATION, 0x123, PIN_ACCESS, EINVAL);
}

/* Of a device that changes rights and domains alone. */
static void translation(struct run *run)
{
	rereg(run, TRANSLATION, 0, PIN_ACCESS, EOPNOTSUPP);
}

static void fewer_rights(struct run *run)
{
	rereg(run, ACCESS, 0, IBV_ACCESS_LOCAL_WRITE, 0);
}

const struct scenario rereg_scenarios[] = {
	{ "rereg-access-bad", "registered anew with REMOTE_WRITE without LOCAL_WRITE", access_bad },
	{ "rereg-misaligned", "registered anew with an iova of another page offset", misaligned },
	{ "rereg-translation", "registered anew with other memory, which rxe does not do", translation },
	{ "ok-rereg", "registered anew with fewer rights", fewer_rights },
	{ 0 },
};
