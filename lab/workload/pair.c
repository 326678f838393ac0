/* SPDX-License-Identifier: Apache-2.0 */
/* A reliable-connected pair inside this process, looped back over the device, and RDMA WRITE through it. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PATTERN = 0x5a };

/* RoCE v2 over IPv4 if there is such an address: it needs no neighbour discovery to reach itself. */
static int find_gid(struct run *run, struct ibv_gid_entry *found)
{
	static const unsigned char v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ibv_gid_entry entries[32];

	for (int attempt = 0; attempt < 50; attempt++, usleep(100 * 1000)) {
		ssize_t count = ibv_query_gid_table(run->device->context, entries, 32, 0);

		for (ssize_t i = 0; i < count; i++)
			if (entries[i].gid_type == IBV_GID_TYPE_ROCE_V2 && memcmp(entries[i].gid.raw, v4_mapped, 12) == 0) {
				*found = entries[i];
				return 0;
			}
	}
	return -1;
}

static void drop_qp(void *object, size_t size)
{
	(void)size;
	ibv_destroy_qp(object);
}

static void drop_cq(void *object, size_t size)
{
	(void)size;
	ibv_destroy_cq(object);
}

static void drop_buffer(void *object, size_t size)
{
	munmap(object, size);
}

static int connect_qp(struct run *run, struct ibv_qp *qp, uint32_t peer, const struct ibv_gid_entry *gid)
{
	struct ibv_port_attr port;
	struct ibv_qp_attr attributes = { .qp_state = IBV_QPS_INIT, .port_num = gid->port_num, .qp_access_flags = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_LOCAL_WRITE };
	int error = ibv_query_port(run->device->context, gid->port_num, &port);

	if (error == 0)
		error = ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	attributes = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTR, .path_mtu = port.active_mtu, .dest_qp_num = peer, .max_dest_rd_atomic = 1, .min_rnr_timer = 12, .ah_attr = { .is_global = 1, .port_num = gid->port_num, .grh = { .dgid = gid->gid, .sgid_index = gid->gid_index, .hop_limit = 8 } } };
	if (error == 0)
		error = ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
	/* A long time-out: an emulated machine under a tracer is slow, and a retry would fault a second time. */
	attributes = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS, .timeout = 20, .retry_cnt = 7, .rnr_retry = 7, .max_rd_atomic = 1 };
	if (error == 0)
		error = ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
	return error;
}

/* Called before memory is spoiled: queues are mapped memory too, and would land in a hole just made. */
void build_pair(struct run *run, size_t length)
{
	struct pair *pair = &run->pair;
	struct ibv_gid_entry gid;

	open_device(run);
	if (find_gid(run, &gid) != 0)
		set_up_failed(run, "%s has no RoCE v2 address over IPv4: give its network device an IPv4 address", options.device);
	pair->cq = ibv_create_cq(run->device->context, 16, NULL, NULL, 0);
	if (!pair->cq)
		set_up_failed(run, "cannot create a completion queue: %s", strerror(errno));
	undo_later(run, drop_cq, pair->cq, 0);
	for (int i = 0; i < 2; i++) {
		struct ibv_qp_init_attr init = { .send_cq = pair->cq, .recv_cq = pair->cq, .qp_type = IBV_QPT_RC, .cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 } };

		pair->qp[i] = ibv_create_qp(run->device->pd, &init);
		if (!pair->qp[i])
			set_up_failed(run, "cannot create a queue pair: %s", strerror(errno));
		undo_later(run, drop_qp, pair->qp[i], 0);
	}
	for (int i = 0; i < 2; i++) {
		int error = connect_qp(run, pair->qp[i], pair->qp[!i]->qp_num, &gid);

		if (error)
			set_up_failed(run, "cannot connect the queue pairs: %s", strerror(error));
	}
	pair->length = length;
	pair->buffer = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pair->buffer == MAP_FAILED)
		set_up_failed(run, "cannot map the source buffer: %s", strerror(errno));
	undo_later(run, drop_buffer, pair->buffer, length);
	memset(pair->buffer, PATTERN, length);
	pair->source = register_memory(run, pair->buffer, length, IBV_ACCESS_LOCAL_WRITE, 0, NULL);
	if (!pair->source)
		set_up_failed(run, "cannot register the source buffer");
}

/* Whether the write reached every page. Only the start of each is looked at: rxe (6.16 to 7.3 at least) puts a packet
 * that is smaller than a page at the start of that page if the MR is on demand, wherever it belongs. */
static bool arrived(const char *remote, size_t length)
{
	for (size_t i = 0; i < length; i += PAGE)
		if (remote[i] != PATTERN)
			return false;
	return true;
}

/* One RDMA WRITE over the whole range. The pair is of no more use after a failure. */
void rdma_write(struct run *run, struct ibv_mr *mr, void *remote, size_t length, int expect, const void *bad)
{
	struct pair *pair = &run->pair;
	struct ibv_sge source = { .addr = (uintptr_t)pair->buffer, .length = length, .lkey = pair->source->lkey };
	struct ibv_send_wr *rejected, request = { .sg_list = &source, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .send_flags = IBV_SEND_SIGNALED, .wr.rdma = { .remote_addr = (uintptr_t)remote, .rkey = mr->rkey } };
	struct ibv_wc completion = { .status = -1 };
	int error, count = 0;

	begin_operation(run);
	error = ibv_post_send(pair->qp[0], &request, &rejected);
	if (error)
		set_up_failed(run, "cannot post an RDMA WRITE: %s", strerror(error));
	for (time_t end = time(NULL) + 60; count == 0 && time(NULL) < end; usleep(1000))
		count = ibv_poll_cq(pair->cq, 1, &completion);
	if (count != 1)
		set_up_failed(run, "no completion of the RDMA WRITE within 60 s");
	relieve(run);
	bool ok = (int)completion.status == (expect ? IBV_WC_REM_ACCESS_ERR : IBV_WC_SUCCESS);
	if (ok && expect == 0)
		ok = arrived(remote, length);
	print_outcome(run, &(struct outcome){ .op = "rdma_write", .address = remote, .length = length, .error = 0, .expect_error = expect, .wc = completion.status, .bad = bad, .ok = ok });
}
