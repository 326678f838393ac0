/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about an RDMA device that sysfs does not answer. */
#ifndef CVERBS_H
#define CVERBS_H

#include <stdint.h>

/// struct ib_uverbs_odp_caps, and XRC, which newer kernels tell as well: bits of
/// enum ib_odp_general_caps and ib_odp_transport_cap_bits.
struct cverbs_odp {
	uint64_t general;
	uint32_t rc, uc, ud, xrc;
};

/// How does the RDMA device behind /dev/infiniband/uverbsN page on demand?
///
/// 0, or -errno when it could not be asked. Opens the device for a moment
/// (IB_USER_VERBS_CMD_GET_CONTEXT, then extended QUERY_DEVICE). `is_mlx5`: that
/// driver wants a word of its own when a context is made.
int cverbs_device_odp(const char *path, int is_mlx5, struct cverbs_odp *odp);

/// Whose is the device of this name? Of enum rdma_driver_id, or -errno; by RDMA's netlink (RDMA_NLDEV_CMD_GET_CHARDEV),
/// without opening it. Only where ib_uverbs is loaded: else the kernel would load it.
int cverbs_driver(const char *name);

#endif
