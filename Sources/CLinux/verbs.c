// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CVerbs.h"

#include <errno.h>
#include <fcntl.h>
#include <rdma/ib_user_verbs.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The structs of ib_user_verbs.h end in flexible arrays for the driver's words. */
static int get_context(int fd, int is_mlx5)
{
	struct ib_uverbs_get_context_resp *response;
	struct ib_uverbs_get_context *cmd;
	struct ib_uverbs_cmd_hdr *hdr;
	uint64_t request[8] = {}, answer[64] = {};
	uint32_t *driver;
	size_t size = sizeof(*hdr) + sizeof(*cmd);

	hdr = (void *)request;
	cmd = (void *)(hdr + 1);
	response = (void *)answer;
	cmd->response = (uintptr_t)answer;
	if (is_mlx5) {
		/* struct mlx5_ib_alloc_ucontext_req of include/uapi/rdma/mlx5-abi.h */
		driver = (uint32_t *)((char *)request + size);
		driver[0] = 16; /* total_num_bfregs */
		driver[1] = 4; /* num_low_latency_bfregs */
		size += 2 * sizeof(*driver);
	}
	hdr->command = IB_USER_VERBS_CMD_GET_CONTEXT;
	hdr->in_words = size / 4;
	hdr->out_words = (is_mlx5 ? sizeof(answer) : sizeof(*response)) / 4;
	if (write(fd, request, size) != (ssize_t)size)
		return -errno;
	close(response->async_fd);
	return 0;
}

int cverbs_device_odp(const char *path, int is_mlx5, struct cverbs_odp *odp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_query_device cmd;
	} request;
	struct ib_uverbs_ex_query_device_resp response;
	int fd, code;

	memset(&request, 0, sizeof(request));
	memset(&response, 0, sizeof(response));
	memset(odp, 0, sizeof(*odp));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	code = get_context(fd, is_mlx5);
	if (code)
		goto out;
	request.hdr.command = IB_USER_VERBS_CMD_QUERY_DEVICE | IB_USER_VERBS_CMD_FLAG_EXTENDED;
	request.hdr.in_words = sizeof(request.cmd) / 8;
	request.hdr.out_words = sizeof(response) / 8;
	request.ex.response = (uintptr_t)&response;
	if (write(fd, &request, sizeof(request)) != sizeof(request))
		code = -errno;
	else if (response.response_length <
		 offsetof(struct ib_uverbs_ex_query_device_resp, odp_caps) +
			 sizeof(response.odp_caps))
		code = -EOPNOTSUPP;
	if (code)
		goto out;
	odp->general = response.odp_caps.general_caps;
	odp->rc = response.odp_caps.per_transport_caps.rc_odp_caps;
	odp->uc = response.odp_caps.per_transport_caps.uc_odp_caps;
	odp->ud = response.odp_caps.per_transport_caps.ud_odp_caps;
	if (response.response_length >=
	    offsetof(struct ib_uverbs_ex_query_device_resp, xrc_odp_caps) +
		    sizeof(response.xrc_odp_caps))
		odp->xrc = response.xrc_odp_caps;
out:
	close(fd);
	return code;
}
