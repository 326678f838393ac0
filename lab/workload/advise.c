/* SPDX-License-Identifier: Apache-2.0 */
/* ADVISE_MR by its own ioctl: the rxe provider of rdma-core before 59 refuses advice in user space, without a system call. */
#include "workload.h"

#include <errno.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int advise_ioctl(struct device *device, uint64_t advice, uint32_t flags, uint32_t lkey, void *address, size_t length)
{
	struct ib_uverbs_sge range = { .addr = (uintptr_t)address, .length = length, .lkey = lkey };
	struct {
		struct ib_uverbs_ioctl_hdr header;
		struct ib_uverbs_attr attributes[4];
	} command = {
		.header = { .length = sizeof(command), .object_id = UVERBS_OBJECT_MR, .method_id = UVERBS_METHOD_ADVISE_MR, .num_attrs = 4, .driver_id = RDMA_DRIVER_RXE },
		.attributes = {
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_PD_HANDLE, .flags = UVERBS_ATTR_F_MANDATORY, .data = device->pd->handle },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_ADVICE, .len = sizeof(advice), .flags = UVERBS_ATTR_F_MANDATORY, .data = advice },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_FLAGS, .len = sizeof(flags), .flags = UVERBS_ATTR_F_MANDATORY, .data = flags },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_SGE_LIST, .len = sizeof(range), .flags = UVERBS_ATTR_F_MANDATORY, .data = (uintptr_t)&range },
		},
	};

	return ioctl(device->context->cmd_fd, RDMA_VERBS_IOCTL, &command) == 0 ? 0 : errno;
}

int try_advice(struct device *device, uint64_t advice, uint32_t lkey, void *address, size_t length)
{
	return advise_ioctl(device, advice, IB_UVERBS_ADVISE_MR_FLAG_FLUSH, lkey, address, length);
}

void print_advice(struct run *run, void *address, size_t length, int error, int expect)
{
	print_outcome(run, &(struct outcome){ .op = "advise_mr", .address = address, .length = length, .error = error, .expect_error = expect, .wc = -1, .ok = error == expect });
}

/* expect: the errno of the kernel's work. An asynchronous prefetch itself returns 0: the kernel discards that errno. */
void advise(struct run *run, uint32_t lkey, enum way way, void *address, size_t length, int expect, const void *bad)
{
	bool later = way == PREFETCH_LATER;
	unsigned tries = expect && !later && !run->relieve ? run->times : 0;

	do {
		begin_operation(run);
		int error = advise_ioctl(run->device,
					 way == PREFETCH_WRITE ? IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE : IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH,
					 later ? 0 : IB_UVERBS_ADVISE_MR_FLAG_FLUSH, lkey, address, length);
		print_outcome(run, &(struct outcome){ .op = later ? "prefetch" : "advise_mr", .address = address, .length = length, .error = error, .expect_error = expect, .wc = -1, .bad = bad, .ok = error == (later ? 0 : expect) });
	} while (once_more(run, &tries));
	if (later && !run->hurried) /* a worker does it; nothing tells when it has, but taking the MR down afterwards waits for it */
		usleep(300 * 1000);
}
