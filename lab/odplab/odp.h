/* SPDX-License-Identifier: GPL-2.0-only */
/* The on-demand MR, and what differs between kernels about it. */
#ifndef ODPLAB_ODP_H
#define ODPLAB_ODP_H

#include <linux/completion.h>
#include <linux/refcount.h>
#include <linux/version.h>
#include <rdma/ib_umem_odp.h>
#include <rdma/ib_verbs.h>

/* ib_device_attr has its capabilities for the kernel's own use apart since 6.0. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 0, 0)
#define odplab_caps(ibdev) ((ibdev)->attrs.device_cap_flags)
#define ODPLAB_CAP_ODP     IB_DEVICE_ON_DEMAND_PAGING
#else
#define odplab_caps(ibdev) ((ibdev)->attrs.kernel_cap_flags)
#define ODPLAB_CAP_ODP     IBK_ON_DEMAND_PAGING
#endif

struct odplab_mr {
	struct ib_mr ibmr; /* first: the core and rxe know no more of it */
	struct ib_pd *pd;
	struct ib_umem_odp *umem_odp;
	u64 iova;
	u32 index;
	refcount_t users; /* the registration itself and queued advice */
	struct completion unused;
};

/* mr.c */
struct ib_mr *odplab_mr_create(struct ib_pd *pd, u64 start, u64 length,
			       u64 iova, int access);
bool odplab_mr_is_ours(const struct ib_mr *ibmr);
bool odplab_mr_none(void);
void odplab_mr_destroy(struct ib_mr *ibmr);
struct odplab_mr *odplab_mr_get(u32 lkey);
void odplab_mr_put(struct odplab_mr *mr);
int odplab_mr_map(struct odplab_mr *mr, u64 addr, u64 length, bool write,
		  bool fault);

/* advise.c */
int odplab_advise_init(void);
void odplab_advise_exit(void);
int odplab_advise_mr(struct ib_pd *pd, enum ib_uverbs_advise_mr_advice advice,
		     u32 flags, struct ib_sge *sg_list, u32 num_sge,
		     struct uverbs_attr_bundle *attrs);

#endif
