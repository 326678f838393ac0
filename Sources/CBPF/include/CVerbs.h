/* SPDX-License-Identifier: Apache-2.0 */
/* The one question to an RDMA device that sysfs does not answer. */
#ifndef CVERBS_H
#define CVERBS_H

/// Does the RDMA device behind /dev/infiniband/uverbsN page on demand?
///
/// 1 yes, 0 no, -errno when it could not be asked. Opens the device for a moment
/// (IB_USER_VERBS_CMD_GET_CONTEXT, then extended QUERY_DEVICE). `is_mlx5`: that
/// driver wants a word of its own when a context is made.
int cverbs_device_has_odp(const char *path, int is_mlx5);

#endif
