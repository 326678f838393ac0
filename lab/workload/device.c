/* SPDX-License-Identifier: Apache-2.0 */
/* The RDMA device, and registering memory with it. */
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void close_device(void *object, size_t size)
{
	struct device *device = object;

	(void)size;
	if (device->pd)
		ibv_dealloc_pd(device->pd);
	if (device->context)
		ibv_close_device(device->context);
	free(device);
}

void open_device(struct run *run)
{
	struct ibv_device_attr_ex attributes;
	int count = 0;

	if (run->device)
		return;
	struct ibv_device **list = ibv_get_device_list(&count);
	if (!list)
		set_up_failed(run, "cannot list RDMA devices: %s", strerror(errno));
	struct device *device = calloc(1, sizeof(*device));
	undo_later(run, close_device, device, 0);
	for (int i = 0; i < count; i++)
		if (strcmp(ibv_get_device_name(list[i]), options.device) == 0)
			device->context = ibv_open_device(list[i]);
	ibv_free_device_list(list);
	if (!device->context)
		set_up_failed(run, "there is no RDMA device %s that this process may open (%d devices seen): %s",
			      options.device, count, strerror(errno));
	device->pd = ibv_alloc_pd(device->context);
	if (!device->pd)
		set_up_failed(run, "cannot allocate a protection domain: %s", strerror(errno));
	if (ibv_query_device_ex(device->context, NULL, &attributes) == 0)
		device->odp_write = attributes.odp_caps.per_transport_caps.rc_odp_caps & IBV_ODP_SUPPORT_WRITE;
	run->device = device;
}

void drop_pd(void *object, size_t size)
{
	(void)size;
	ibv_dealloc_pd(object);
}

static void drop_mr(void *object, size_t size)
{
	(void)size;
	ibv_dereg_mr(object);
}

/* Takes the MR down now. Waits for workers that still use it. */
void unregister_memory(struct run *run, struct ibv_mr *mr)
{
	for (unsigned i = 0; i < run->undo_count; i++)
		if (run->undo[i].object == mr) {
			memmove(&run->undo[i], &run->undo[i + 1], (run->undo_count - i - 1) * sizeof(run->undo[0]));
			run->undo_count--;
			ibv_dereg_mr(mr);
			return;
		}
}

static struct ibv_mr *finish(struct run *run, struct ibv_mr *mr, void *address, size_t length, int expect, const void *bad)
{
	int error = mr ? 0 : errno;

	if (mr)
		undo_later(run, drop_mr, mr, 0);
	print_outcome(run, &(struct outcome){ .op = "reg_mr", .address = address, .length = length, .error = error, .expect_error = expect, .wc = -1, .bad = bad, .ok = error == expect });
	return mr;
}

struct ibv_mr *register_memory(struct run *run, void *address, size_t length, int access, int expect, const void *bad)
{
	struct ibv_mr *mr;
	unsigned tries = expect && !run->relieve ? run->times : 0;

	open_device(run);
	do {
		begin_operation(run);
		errno = 0;
		mr = finish(run, ibv_reg_mr(run->device->pd, address, length, access), address, length, expect, bad);
	} while (!mr && once_more(run, &tries));
	return mr;
}

struct ibv_mr *register_iova(struct run *run, void *address, size_t length, uint64_t iova, int access, int expect)
{
	open_device(run);
	begin_operation(run);
	errno = 0;
	return finish(run, ibv_reg_mr_iova2(run->device->pd, address, length, iova, access), address, length, expect, NULL);
}
